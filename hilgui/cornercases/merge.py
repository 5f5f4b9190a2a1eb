"""Merging: hits of one thread on neighbouring frames become one finding."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hilgui.cornercases.kinds import NATURES
from hilgui.cornercases.picture_hash import hash_of, hash_of_crop
from hilgui.cornercases.suspects import Faults, ImageOf, Votes, no_image
from hilgui.numerals import number_of
from hilgui.records import Finding, Hit, Kind, Moment, Role, Severity, Suspect

DURATION = "{duration}"  # in Hit.why: the finding puts its length there, "31 frames (1.0 s)"

_JUDGED_BY_TRUTH = frozenset(
    {
        Kind.MISSED_CRITICAL,
        Kind.MISSED_OBJECT,
        Kind.PHANTOM,
        Kind.IDENTITY_SWITCH,
        Kind.JITTER,
        Kind.LATE_DETECTION,
        Kind.GAP,
        Kind.POOR_LOCALISATION,
        Kind.OVERCONFIDENT,
    }
)
_OF_ONE_OBJECT = _JUDGED_BY_TRUTH | {
    Kind.FLICKER,
    Kind.DUPLICATE,
    Kind.CLASS_FLIP,
    Kind.BORDERLINE,
}
_MISSES = {Kind.MISSED_OBJECT: 0, Kind.GAP: 1, Kind.LATE_DETECTION: 2, Kind.MISSED_CRITICAL: 3}
"""One finding of one object, which has the name that says most: a miss that a match ended is a gap or came late."""

_Thread = tuple[Kind, Role | None, str]
_Clock = tuple[Role | None, bool]  # a model (None: whichever), with truth only
_CLOCKS: tuple[_Clock, ...] = tuple((role, with_truth) for role in (None, *Role) for with_truth in (False, True))
_BLOCK = 64  # frames whose counts are counted again when asked for


class Calendar:
    """Knows every evaluated frame: its time, and how many frames could have shown a hit until then.

    A frame without labels cannot show a miss, and a frame that the candidate skipped cannot show its phantom: such
    frames are no gap. 17 bytes a frame, so that hits may come as late as they like.
    """

    def __init__(self) -> None:
        self._seqs = array("q")
        self._times = array("d")
        self._shown = bytearray()  # of each frame, one bit a clock
        self.now = dict.fromkeys(_CLOCKS, 0)  # frames until now, by clock
        self._until: dict[_Clock, array[int]] = {clock: array("Q") for clock in _CLOCKS}  # before each block of frames

    def turn(self, moment: Moment) -> None:
        """Note the next evaluated frame; frames come in rising order."""
        if self._seqs and moment.ref.seq <= self._seqs[-1]:
            raise ValueError(f"frame {moment.ref.seq} comes after frame {self._seqs[-1]}")
        is_first = len(self._seqs) % _BLOCK == 0
        self._seqs.append(moment.ref.seq)
        self._times.append(moment.ref.time_s)
        bits, seen = 0, moment.inferences
        for bit, clock in enumerate(_CLOCKS):
            role, with_truth = clock
            if is_first:
                self._until[clock].append(self.now[clock])
            if (role is None or role in seen) and not (with_truth and moment.truth is None):
                bits |= 1 << bit
                self.now[clock] += 1
        self._shown.append(bits)

    def knows(self, seq: int) -> bool:
        """Say whether the frame was evaluated."""
        place = bisect_left(self._seqs, seq)
        return place < len(self._seqs) and self._seqs[place] == seq

    def time_s(self, seq: int) -> float:
        """Give the recording time of an evaluated frame."""
        return self._times[bisect_left(self._seqs, seq)]

    def count(self, first: int, last: int) -> int:
        """Count the evaluated frames of a range."""
        return bisect_right(self._seqs, last) - bisect_left(self._seqs, first)

    def position(self, hit: Hit) -> int:
        """Count the frames up to the hit's in which its kind and role could have shown a hit."""
        clock = _clock(hit.kind, hit.role)
        place = bisect_left(self._seqs, hit.seq)
        block, bit = place // _BLOCK, 1 << _CLOCKS.index(clock)
        return self._until[clock][block] + sum(map(bit.__and__, self._shown[block * _BLOCK : place + 1])) // bit


@dataclass(slots=True)
class _Open:
    """A finding that may still grow."""

    worst: Hit
    severity: Severity
    first: int  # seq
    last: int
    first_position: int
    last_position: int
    clock: _Clock
    reach: int  # frames that may lie between two hits
    spans: list[list[int]] = field(default_factory=list)  # first and last seq of each unbroken run of hits, rising
    frame_hash: str = ""
    crop_hash: str = ""
    votes: Votes = field(default_factory=Votes)

    def take(self, hit: Hit, position: int) -> bool:
        """Take a hit; say whether it is the worst now."""
        self.count(hit.seq)
        if hit.seq < self.first:
            self.first, self.first_position = hit.seq, position
        if hit.seq > self.last:
            self.last, self.last_position = hit.seq, position
        self.severity = max(self.severity, hit.severity)
        self.votes.cast(hit)
        if _rank(hit) <= _rank(self.worst):
            return False
        self.worst = hit
        return True

    @property
    def frames(self) -> int:
        """Count the frames with a hit."""
        return sum(last - first + 1 for first, last in self.spans)

    def count(self, seq: int) -> None:
        """Take a frame with a hit, once; kept as runs, so that a finding of a whole drive stays small."""
        spans = self.spans
        place = bisect_right(spans, seq, key=lambda span: span[0])
        if place and seq <= spans[place - 1][1]:
            return
        joins_before = place > 0 and spans[place - 1][1] == seq - 1
        joins_after = place < len(spans) and spans[place][0] == seq + 1
        if joins_before and joins_after:
            spans[place - 1][1] = spans.pop(place)[1]
        elif joins_before:
            spans[place - 1][1] = seq
        elif joins_after:
            spans[place][0] = seq
        else:
            spans.insert(place, [seq, seq])


class Merger:
    """Makes findings of hits; numbers count from 1 in the order in which findings close.

    Hits of the same kind, role and thread belong together when at most `gap` frames without a hit lie between
    them, `object_gap` for what is about one object; frames in which that kind and role could not be judged do not
    count. A hit may come after its frame: a finding stays open for `patience` frames more than the gap. A detector
    gives at most one hit per thread and frame.
    """

    def __init__(self, gap: int, patience: int, period_s: float | None, object_gap: int = 0) -> None:
        self._gap = gap
        self._object_gap = max(gap, object_gap)
        self._patience = patience
        self._period_s = period_s or 0.0
        self._open: dict[_Thread, _Open] = {}
        self._closed = 0
        self._faults = Faults()
        self.calendar = Calendar()
        self.untold: list[tuple[Kind, Exception]] = []  # hits that could not be put into words, and why

    def take(self, hits: Iterable[Hit], images: ImageOf = no_image) -> list[Finding]:
        """Take the hits that the newest frame brought; give the findings that are complete now.

        The frames of the hits must be in the calendar (`calendar.turn`). `images` gives pixels by sequence number
        while they are at hand.
        """
        closed = [finding for hit in hits for finding in self._add(hit, images)]
        now, patience = self.calendar.now, self._patience
        over = [
            thread
            for thread, growing in self._open.items()
            if now[growing.clock] - growing.last_position > growing.reach + patience
        ]
        closed += [self._close(thread) for thread in over]
        return closed

    def finish(self) -> list[Finding]:
        """Close what is still open, in the order of first frames."""
        threads = sorted(self._open, key=lambda thread: (self._open[thread].first, thread[0], thread[2]))
        return [self._close(thread) for thread in threads]

    def gathered(self, hits: Iterable[Hit], images: ImageOf = no_image) -> list[Finding]:
        """Make one finding per kind and role of the hits of one frame of an unordered set."""
        groups: dict[tuple[Kind, Role | None], list[Hit]] = {}
        for hit in hits:
            self._faults.note(hit)
            groups.setdefault((_family(hit.kind), hit.role), []).append(hit)
        return [
            self._finding(self._opened(worst, self.calendar.position(worst), images))
            for worst in (_gather([self._told(hit) for hit in hits]) for hits in groups.values())
        ]

    def _add(self, hit: Hit, images: ImageOf) -> list[Finding]:
        self._faults.note(hit)
        thread = (_family(hit.kind), hit.role, hit.thread)
        position = self.calendar.position(hit)
        growing = self._open.get(thread)
        if growing is None:
            self._open[thread] = self._opened(hit, position, images)
            return []
        reach = growing.reach + 1
        if growing.first_position - reach <= position <= growing.last_position + reach:
            if growing.take(hit, position):
                self._picture(growing, images)
            return []
        closed = self._close(thread)
        self._open[thread] = self._opened(hit, position, images)
        return [closed]

    def _opened(self, hit: Hit, position: int, images: ImageOf) -> _Open:
        gap = self._object_gap if hit.thread and hit.kind in _OF_ONE_OBJECT else self._gap
        spans = [[hit.seq, hit.seq]]
        opened = _Open(hit, hit.severity, hit.seq, hit.seq, position, position, _clock(hit.kind, hit.role), gap, spans)
        opened.votes.cast(hit)
        self._picture(opened, images)
        return opened

    def _picture(self, growing: _Open, images: ImageOf) -> None:
        """Hash what the worst frame shows, where its picture is still at hand."""
        image = images(growing.worst.seq)
        if image is None:
            growing.frame_hash = growing.crop_hash = ""
            return
        growing.worst = self._told(growing.worst)
        growing.frame_hash = hash_of(image)
        growing.crop_hash = hash_of_crop(image, growing.worst.objects[0].box) if growing.worst.objects else ""

    def _told(self, hit: Hit) -> Hit:
        """Put a hit into words; that it happened counts, even where its detector cannot say what."""
        try:
            return hit.told()
        except Exception as failure:  # a plug-in call: a stranger's code may raise anything
            self.untold.append((hit.kind, failure))
            return replace(hit, why=f"{hit.kind} that its detector could not describe: {failure}", telling=None)

    def _close(self, thread: _Thread) -> Finding:
        return self._finding(self._open.pop(thread))

    def _finding(self, done: _Open) -> Finding:
        self._closed += 1
        worst = self._told(done.worst)
        first_s, last_s = self.calendar.time_s(done.first), self.calendar.time_s(done.last)
        nature = NATURES[worst.kind]
        evaluated = self.calendar.count(done.first, done.last)
        suspect, suspect_why = self._faults.named(worst.kind, done.first, done.last, evaluated) or done.votes.won(
            worst.kind
        )
        suspect_role, role_why = done.votes.role(worst.suspect_role) if suspect is Suspect.MODEL else (None, "")
        return Finding(
            number=self._closed,
            kind=worst.kind,
            severity=done.severity,
            role=worst.role,
            first_seq=done.first,
            last_seq=done.last,
            worst_seq=worst.seq,
            frames=done.frames,
            first_s=first_s,
            last_s=last_s,
            worst_s=self.calendar.time_s(worst.seq),
            why=worst.why.replace(DURATION, _duration(done.frames, last_s - first_s + self._period_s)),
            objects=worst.objects,
            evidence=dict(worst.evidence),
            level=nature.level,
            trigger=nature.trigger,
            suspect=suspect,
            suspect_why=role_why or suspect_why,
            suspect_role=suspect_role,
            frame_hash=done.frame_hash,
            crop_hash=done.crop_hash,
        )


def _family(kind: Kind) -> Kind:
    return Kind.MISSED_OBJECT if kind in _MISSES else kind


def _rank(hit: Hit) -> tuple[int, float]:
    return _MISSES.get(hit.kind, 0), hit.weight


def _clock(kind: Kind, role: Role | None) -> _Clock:
    return role, kind in _JUDGED_BY_TRUTH


def _duration(frames: int, seconds: float) -> str:
    seen = number_of(frames, "frame")
    return seen if math.isnan(seconds) else f"{seen} ({seconds:.1f} s)"


def _gather(hits: list[Hit]) -> Hit:
    """Join hits of one frame: the worst speaks, the others add their objects."""
    ordered = sorted(hits, key=lambda hit: -hit.weight)
    worst = ordered[0]
    more = len(ordered) - 1
    return replace(
        worst,
        severity=max(hit.severity for hit in hits),
        why=f"{worst.why}; {more} more in this frame" if more else worst.why,
        objects=tuple(found for hit in ordered for found in hit.objects),
    )
