"""Waits: how long a labelled object is asked for without a match, until a match ends it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from hilgui.cornercases.labelled import Labelled, Labelling
from hilgui.records import Judgement, Moment, Role

SLACK_S = 1e-6  # stamps of videos are rounded
_MATCHED = int(Judgement.MATCHED)
LONGEST = 1000  # frames of a wait that are remembered, the newest; its length counts in full


class Waited(NamedTuple):
    """An object on one frame."""

    seq: int
    time_s: float
    one: Labelled


@dataclass(slots=True)
class _Wait:
    was_matched: bool = False  # before
    since_s: float = 0.0  # of the last match, else of the first frame asked
    asked: int = 0  # frames without a match
    frames: deque[Waited] = field(default_factory=lambda: deque(maxlen=LONGEST))


class Wait(NamedTuple):
    """A wait that a match has ended."""

    frames: list[Waited]  # the ones without a match, at most LONGEST, then the one with
    lasted_s: float
    asked: int  # frames without a match, all of them
    after_match: bool  # it lies between two matches, not before the first


class Waits:
    """Follows how long each object is without a match, before the first one and between two, once for all detectors.

    A frame without labels, or that the model skipped, pauses; an object that is not asked for (gone, hidden, cut by
    the border) begins anew.
    """

    def __init__(self, thresholds: dict[Role, float], labelling: Labelling) -> None:
        self._labelling = labelling
        self._waits: dict[Role, dict[str, _Wait]] = {role: {} for role in thresholds}
        self._moment: Moment | None = None
        self._ended: dict[Role, list[Wait]] = {}

    def ended(self, moment: Moment) -> dict[Role, list[Wait]]:
        """Give the waits that this frame ends, by model."""
        if moment is not self._moment:
            self._moment = moment
            self._ended = {role: self._note(role, moment) for role in moment.comparisons}
        return self._ended

    def _note(self, role: Role, moment: Moment) -> list[Wait]:
        verdicts = moment.comparisons[role].truths.tolist()
        before, today = self._waits[role], {}
        now_s, seq = moment.ref.time_s, moment.ref.seq
        asked, ended = self._labelling.at(moment), []
        for place, (row, thread, is_cut) in enumerate(zip(asked.rows, asked.threads, asked.cut, strict=True)):
            if is_cut:
                continue
            wait = today[thread] = before.get(thread) or _Wait(since_s=now_s)
            if verdicts[row] != _MATCHED:
                wait.asked += 1
                wait.frames.append(Waited(seq, now_s, asked[place]))
                continue
            if wait.frames:
                frames = [*wait.frames, Waited(seq, now_s, asked[place])]
                ended.append(Wait(frames, now_s - wait.since_s, wait.asked, wait.was_matched))
                wait.frames.clear()
                wait.asked = 0
            wait.was_matched, wait.since_s = True, now_s
        self._waits[role] = today
        return ended
