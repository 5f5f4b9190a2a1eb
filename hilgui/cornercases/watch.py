"""The watch: runs every applicable detector over the moments of a run and collects findings."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from hilgui import plugins
from hilgui.cornercases.merge import Merger
from hilgui.cornercases.protocol import CornerCase, RunContext
from hilgui.cornercases.suspects import ImageOf, no_image
from hilgui.errors import PluginBroken
from hilgui.records import Finding, Hit, Moment, Role

log = logging.getLogger(__name__)

GROUP = "hilgui.corner_cases"


@dataclass(frozen=True, slots=True)
class Looked:
    """What one frame brought; hits may name earlier frames."""

    hits: list[Hit]
    closed: list[Finding]  # complete now; their last frame lies some frames back


class Watch:
    """Asks every detector about every evaluated frame, in frame order, on the judge thread.

    Detectors that cannot work in this run are in `left_out` (name, reason). One that raises is switched off for
    the rest of the run and is in `broken` (name, reason): the run goes on, its verdict must say so.
    """

    def __init__(self, context: RunContext) -> None:
        self._ordered = context.period_s is not None
        self._shifts = context.shifts
        limits, period_s = context.limits, context.period_s
        object_gap = 0 if period_s is None else round(limits.merge_s / period_s)
        self._merger = Merger(limits.merge_gap, _patience(context), period_s, object_gap)
        self._detectors: dict[str, CornerCase] = {}
        self._broken: dict[str, str] = {}
        left_out = {name: plugin.reason for name, plugin in plugins.load(GROUP).items() if plugin.target is None}
        for name, detector in plugins.working(GROUP).items():
            try:
                reason = _obstacle(detector, context)
                if reason:
                    left_out[name] = reason
                else:
                    self._detectors[name] = detector(context)
            except Exception as failure:  # a plug-in call: a stranger's code may raise anything
                self._switch_off(name, failure)
        self.left_out: tuple[tuple[str, str], ...] = tuple(sorted(left_out.items()))

    @property
    def broken(self) -> tuple[tuple[str, str], ...]:
        """Give the detectors that raised, each with its reason; findings of theirs may be missing."""
        return tuple(self._broken.items())

    @property
    def watching(self) -> tuple[str, ...]:
        """Name the detectors at work."""
        return tuple(self._detectors)

    def look(self, moment: Moment, images: ImageOf = no_image) -> Looked:
        """Look at the next evaluated frame; frames come in rising order of seq.

        `images` gives the pixels of a recent frame by its sequence number: the worst frame of a finding is hashed.
        """
        self._merger.calendar.turn(moment)
        self._shifts.note(moment)
        hits: list[Hit] = []
        for name, detector in list(self._detectors.items()):
            try:
                hits += self._ask(name, detector, moment)
            except Exception as failure:  # a plug-in call: a stranger's code may raise anything
                self._switch_off(name, failure)
        gather = self._merger.take if self._ordered else self._merger.gathered
        closed = gather(hits, images)
        self._note_untold()
        return Looked(hits, closed)

    def finish(self) -> list[Finding]:
        """Close what is still open; call once, after the last frame."""
        closed = self._merger.finish()
        self._note_untold()
        return closed

    def _ask(self, name: str, detector: CornerCase, moment: Moment) -> list[Hit]:
        hits = list(detector.look(moment))
        for hit in hits:
            if not isinstance(hit, Hit) or not self._merger.calendar.knows(hit.seq):
                raise PluginBroken(f"corner case {name} gave {hit!r}, which is no hit on an evaluated frame")
        return hits

    def _note_untold(self) -> None:
        """Switch off whoever could not describe a hit of its own."""
        for kind, failure in self._merger.untold:
            for name in [name for name, detector in self._detectors.items() if detector.kind is kind]:
                self._switch_off(name, failure)
        self._merger.untold.clear()

    def _switch_off(self, name: str, failure: Exception) -> None:
        log.error("corner case %s is switched off for this run", name, exc_info=failure)
        self._detectors.pop(name, None)
        self._broken[name] = f"{type(failure).__name__}: {failure}"


def _obstacle(detector: type[CornerCase], context: RunContext) -> str:
    """Say why a detector cannot work in this run, "" where it can."""
    if detector.needs_time and context.period_s is None:
        return "needs time; the source is an unordered set"
    if detector.needs_candidate and Role.CANDIDATE not in context.thresholds:
        return "needs a candidate"
    if detector.needs_real_time and not context.real_time:
        return "needs a live source or a replay in real time"
    return ""


def _patience(context: RunContext) -> int:
    """Count the frames by which the hits of the built-in detectors may be late."""
    if context.period_s is None:
        return 0
    limits = context.limits
    keep = max(limits.merge_gap, math.ceil(limits.flicker.within_s / context.period_s))
    return max(
        limits.missed_object.frames,
        limits.phantom.frames,
        limits.frozen_frame.frames,
        limits.poor_localisation.frames,
        limits.borderline.frames,
        keep + limits.short_lived.frames,
    )
