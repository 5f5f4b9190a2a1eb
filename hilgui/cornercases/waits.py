"""Waits: how long a labelled object is asked for without a match, until a match ends it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Comparison, Judgement, Moment, Role

SLACK_S = 1e-6  # stamps of videos are rounded
LONGEST = 1000  # frames of a wait that are remembered, the newest; its length counts in full


class Asked(NamedTuple):
    """An object on one frame."""

    seq: int
    time_s: float
    one: Labelled


@dataclass(slots=True)
class _Wait:
    was_matched: bool = False  # before
    since_s: float = 0.0  # of the last match, else of the first frame asked
    asked: int = 0  # frames without a match
    frames: deque[Asked] = field(default_factory=lambda: deque(maxlen=LONGEST))


class Wait(NamedTuple):
    """A wait that a match has ended."""

    frames: list[Asked]  # the ones without a match, at most LONGEST, then the one with
    lasted_s: float
    asked: int  # frames without a match, all of them


class Waits:
    """Follows the waits of one kind: before the first match of an object, or between two.

    A frame without labels, or that the model skipped, pauses; an object that is not asked for (gone, hidden, cut by
    the border) begins anew.
    """

    def __init__(self, context: RunContext, *, after_match: bool) -> None:
        self._labelling = context.labelling
        self._after_match = after_match
        self._waits: dict[Role, dict[str, _Wait]] = {role: {} for role in context.thresholds}

    def ended(self, role: Role, comparison: Comparison, moment: Moment) -> list[Wait]:
        """Give the waits that this frame ends."""
        verdicts = comparison.truths.tolist()
        before, today = self._waits[role], {}
        now_s, seq = moment.ref.time_s, moment.ref.seq
        ended = []
        for one in self._labelling.at(moment):
            if one.is_cut:
                continue
            wait = today[one.thread] = before.get(one.thread) or _Wait(since_s=now_s)
            if verdicts[one.row] != Judgement.MATCHED:
                if wait.was_matched is self._after_match:  # else nobody will ask for it
                    wait.asked += 1
                    wait.frames.append(Asked(seq, now_s, one))
                continue
            if wait.frames:
                ended.append(Wait([*wait.frames, Asked(seq, now_s, one)], now_s - wait.since_s, wait.asked))
            wait.was_matched, wait.since_s, wait.asked = True, now_s, 0
            wait.frames.clear()
        self._waits[role] = today
        return ended
