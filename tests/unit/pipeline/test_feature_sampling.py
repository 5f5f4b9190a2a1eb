"""When features of a frame are taken: in real time only where the baseline leaves the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hilgui.inference import Model
from hilgui.inference.features import Features
from hilgui.pipeline.feature_sampling import FeatureSampling
from hilgui.pipeline.right_of_way import RightOfWay
from hilgui.records import Frame, Role
from tests.unit.store import rows

MS = 1_000_000
PERIOD_MS = 50


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> int:
        return self.now_ms * MS


class Network:
    """Stands for a model and its features: taking them makes the clock go on."""

    def __init__(self, clock: Clock, takes_ms: int) -> None:
        self._clock, self._takes_ms = clock, takes_ms
        self.asked: list[float] = []

    def workspace(self) -> None:
        """Have none."""

    def feeds(self, image: NDArray[np.uint8], _: object) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {"x": image}

    def of(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Give its mean."""
        self._clock.now_ms += self._takes_ms
        self.asked.append(float(feeds["x"].mean()))
        return np.array([feeds["x"].mean()])


def frame(seq: int) -> Frame:
    ref = replace(rows.moment(seq).ref, time_s=seq * PERIOD_MS / 1e3)
    return Frame(ref, np.full((4, 4, 3), seq, np.uint8))


def sampling(network: Network, clock: Clock, way: RightOfWay | None) -> FeatureSampling:
    both = (cast("Model", network), cast("Features", network))
    return FeatureSampling({Role.BASELINE: both}, 2.0, way, clock)


def test_as_fast_as_possible_every_tenth_frame_of_twenty_a_second_has_its_sample_at_once() -> None:
    clock = Clock()
    made = sampling(Network(clock, 10), clock, None)
    assert not made.has_thread
    seqs = [[sample.ref.seq for sample in made.offer(frame(seq))] for seq in range(25)]
    assert [seq for seq, found in enumerate(seqs) if found] == [0, 10, 20]
    assert seqs[10] == [10]
    assert made.account() == ()


def test_in_real_time_the_judge_waits_for_no_sample_and_has_it_with_a_later_frame() -> None:
    clock = Clock()
    network = Network(clock, 10)
    made = sampling(network, clock, RightOfWay(PERIOD_MS * MS))
    assert made.has_thread
    made.arrived(frame(0).ref)
    assert made.offer(frame(0)) == ()
    assert network.asked == []  # the thread of `work` takes it, not the judge's
    made.take(frame(0))
    (sample,) = made.offer(frame(1))
    assert (sample.ref.seq, sample.features[Role.BASELINE].tolist()) == (0, [0.0])


def test_features_are_taken_only_where_they_are_done_before_the_next_frame() -> None:
    clock = Clock()
    network = Network(clock, 20)
    made = sampling(network, clock, RightOfWay(PERIOD_MS * MS))
    for seq, ready_ms in ((0, 10), (10, 10), (20, 40), (30, 10)):  # of frame 20 the baseline took long
        clock.now_ms = seq * PERIOD_MS
        made.arrived(frame(seq).ref)
        clock.now_ms += ready_ms
        made.offer(frame(seq))
        made.take(frame(seq))
    made.offer(frame(31))
    assert network.asked == [0, 10, 30]
    assert made.account()[0].startswith("drift: of 4 frames whose features were to be sampled 1 were left out")


def test_a_frame_that_is_not_the_newest_any_more_is_left_out() -> None:
    clock = Clock()
    network = Network(clock, 1)
    way = RightOfWay(PERIOD_MS * MS)
    way.took(MS)
    made = sampling(network, clock, way)
    for seq in (0, 1):
        made.arrived(frame(seq).ref)
    made.take(frame(0))
    assert network.asked == []
