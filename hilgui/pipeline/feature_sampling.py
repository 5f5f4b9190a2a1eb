"""Features of a run's networks on a fixed sample of its frames, taken where nobody waits for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np

from hilgui.drift import Turns
from hilgui.inference import Model
from hilgui.inference.features import Features
from hilgui.pipeline.right_of_way import RightOfWay, give_way
from hilgui.records import FeatureSample, Frame, FrameRef, Role
from hilgui.stream import Mailbox


class FeatureSampling:
    """Takes samples of a run's frames; the judge thread offers each frame once all models are done with it.

    A recording as fast as possible: the judge thread takes them itself, so that a drive always has the same samples.
    In real time (`way`) the thread of `work` does, behind every other thread, and only where a sample is done before
    the next frame is expected; what finds no time is left out and counted.
    """

    def __init__(
        self,
        networks: Mapping[Role, tuple[Model, Features]],
        per_s: float,
        way: RightOfWay | None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._networks = [(role, model, model.workspace(), features) for role, (model, features) in networks.items()]
        self._turns = Turns(per_s)
        self._way = way
        self._clock = clock
        self._offers: Mailbox[Frame] = Mailbox()
        self._done: deque[FeatureSample] = deque()
        self.per_s = per_s
        self.asked = 0
        self.taken = 0

    @property
    def has_thread(self) -> bool:
        """Say whether `work` is to be run by a thread."""
        return self._way is not None and bool(self._networks)

    def arrived(self, ref: FrameRef) -> None:
        """Note a frame that the baseline will look at; capture thread."""
        if self._way is not None:
            self._way.arrived(ref.seq, self._clock())

    def offer(self, frame: Frame) -> tuple[FeatureSample, ...]:
        """Offer the next frame; give the samples that are done: its own, in real time those of earlier frames."""
        if self._networks and self._turns.is_due(frame.ref):
            self.asked += 1
            if self._way is None:
                self.take(frame)
            else:
                self._offers.post(frame)
        found = tuple(self._done.popleft() for _ in range(len(self._done)))
        self.taken += len(found)
        return found

    def work(self) -> None:
        """Take samples of the frames that are offered until closed; raises Closed, and ModelBroken."""
        give_way()
        while True:
            self.take(self._offers.take())

    def take(self, frame: Frame) -> None:
        """Take a sample, in real time only where the baseline is not expected to need the machine meanwhile."""
        started = self._clock()
        if self._way is None or self._way.may_run(frame.ref.seq, started):
            self._done.append(self._sample(frame))
            if self._way is not None:
                self._way.took(self._clock() - started)

    def close(self) -> None:
        """End `work`; a sample that nobody asked for any more is thrown away."""
        self._offers.abort()

    def account(self) -> tuple[str, ...]:
        """Say how many frames had no sample taken for want of time."""
        if self.taken == self.asked:
            return ()
        return (
            f"drift: of {self.asked} frames whose features were to be sampled {self.asked - self.taken} were left out, "
            "as there was no time for them beside the models",
        )

    def _sample(self, frame: Frame) -> FeatureSample:
        return FeatureSample(
            frame.ref,
            {
                role: features.of(model.feeds(frame.image, workspace)).astype(np.float32)
                for role, model, workspace, features in self._networks
            },
        )
