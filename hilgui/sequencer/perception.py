"""What the models' process tells the rig's supervisor: that it lives, how late it is; and the rule of a closed loop."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from hilgui.errors import SupervisorLost
from hilgui.evaluation.criticality import CriticalityMeter
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.records import Moment, Role, RunHeader
from hilgui.rigs import SetValue
from hilgui.rigs.client import RigHand, RigWatch
from hilgui.rigs.messages import Done
from hilgui.sequencer.case import Controller
from hilgui.settings import CriticalityLimits

log = logging.getLogger(__name__)

LATENCY = "perception.latency_ms"
IS_VALID = "perception.is_valid"
_TICK_S = 0.02


class Perception:
    """Signs of life on a thread of its own, and for each judged frame its age and whether the model's answer is valid.

    `latency_ms` is the time from the frame's capture until it is judged. Holds a RigWatch: it has no word for
    anything that moves.
    """

    def __init__(self, rig: RigWatch, role: Role = Role.BASELINE) -> None:
        self._rig = rig
        self.role = role
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name="signs of life")
        self._thread.start()

    def attest(self, header: RunHeader) -> None:
        """Say what really runs, before the rig is armed for it."""
        facts = header.models[self.role]
        with self._lock, suppress(SupervisorLost):
            self._rig.attest(facts.sha256, facts.provider)

    def begin(self, header: RunHeader) -> None:
        """Begin a run."""

    def see(self, moment: Moment) -> None:
        """Report one judged frame; called on the judge thread."""
        inference = moment.inferences.get(self.role)
        age_ms = (time.monotonic_ns() - moment.ref.captured_ns) / 1e6
        with self._lock, suppress(SupervisorLost):  # the front end hears of it too, and ends the case
            self._rig.observe(LATENCY, age_ms)
            self._rig.observe(IS_VALID, float(inference is not None and not inference.invalid))

    def close(self) -> None:
        """Fall silent; an armed rig stops."""
        self._end.set()
        self._thread.join()
        self._rig.close()

    def _live(self) -> None:
        while not self._end.wait(_TICK_S):
            with self._lock:
                try:
                    self._rig.beat()
                    self._heard()
                except SupervisorLost:
                    return

    def _heard(self) -> None:
        self._rig.poll()


class Reflex(Perception):
    """The controller of a closed loop: while the rule holds, a channel is on, and `hold_s` longer.

    Sends a command only where the wanted value changes; the cage decides about each.
    """

    def __init__(self, hand: RigHand, controller: Controller) -> None:
        super().__init__(hand, Role(controller.model))
        self._hand = hand
        self._rule = controller
        self._device, _, self._channel = controller.channel.partition(".")
        self._meter: CriticalityMeter | None = None
        self._classes: frozenset[int] | None = None
        self._score = 0.0
        self._is_on: bool | None = None
        self._until_s = 0.0

    def begin(self, header: RunHeader) -> None:
        """Learn the run's classes, camera and threshold."""
        vocabulary, when = header.vocabulary, self._rule.when
        self._meter = CriticalityMeter(CriticalityLimits(), vocabulary, CameraGeometry.of(header.source.geometry))
        self._score = header.models[self.role].threshold if when.score is None else when.score
        names = {name.casefold() for name in when.classes}
        self._classes = (
            frozenset(number for number, name in enumerate(vocabulary.names) if name.casefold() in names)
            if names
            else None
        )

    def see(self, moment: Moment) -> None:
        """Report the frame, then act on it."""
        super().see(moment)
        now_s = time.monotonic()
        if self._matches(moment):
            self._until_s = now_s + self._rule.hold_s
        self._want(now_s <= self._until_s)

    def _matches(self, moment: Moment) -> bool:
        assert self._meter is not None
        known = self._meter.detections(moment, self.role, self._score)
        if known is None:
            return False
        when = self._rule.when
        shown = moment.inferences[self.role].detections.first(len(known))
        return any(
            (self._classes is None or number in self._classes)
            and (not when.in_corridor or bool(known.in_corridor[row]))
            and (not when.critical or bool(known.critical[row]))
            for row, number in enumerate(shown.classes.tolist())
        )

    def _want(self, is_on: bool) -> None:
        if is_on is self._is_on:
            return
        self._is_on = is_on
        value = self._rule.on if is_on else self._rule.off
        with self._lock, suppress(SupervisorLost):
            self._hand.command(SetValue(self._device, self._channel, value))

    def _heard(self) -> None:
        for event in self._hand.poll():
            if isinstance(event, Done) and not event.is_ok:
                log.warning("the rig refused the controller: %s", event.sentence)
                self._is_on = None  # asked for again with the next frame
