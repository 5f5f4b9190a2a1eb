"""Which pictures of a run are kept: 25 bytes each, as a long drive may keep one of every frame."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from hilgui.records import FrameRef, Severity

_RAISED = {least: bytes(max(each, least) for each in range(256)) for least in Severity}  # tables for `translate`


class KeptPictures:
    """Knows time, number, severity and cost of every kept picture; in order of time, where a picture has a place."""

    def __init__(self) -> None:
        self._times = array("d")  # recording times, rising; cameras may have frames of the same time
        self._seqs = array("q")
        self._costs = array("Q")  # bytes on the disk
        self._severities = bytearray()  # of the worst finding that wants it

    def add(self, ref: FrameRef, severity: Severity, cost: int) -> None:
        """Take one more; frames may come late."""
        place = bisect_right(self._times, ref.time_s)
        self._times.insert(place, ref.time_s)
        self._seqs.insert(place, ref.seq)
        self._costs.insert(place, cost)
        self._severities.insert(place, severity)

    def within(self, first_s: float, last_s: float) -> array[int]:
        """Give the numbers of those of a span, both ends with it."""
        return self._seqs[bisect_left(self._times, first_s) : bisect_right(self._times, last_s)]

    def has(self, time_s: float) -> bool:
        """Say whether there is one of that time."""
        return bisect_left(self._times, time_s) < bisect_right(self._times, time_s)

    def raise_to(self, severity: Severity, first_s: float, last_s: float) -> None:
        """Let those of a span be at least so severe."""
        span = slice(bisect_left(self._times, first_s), bisect_right(self._times, last_s))
        self._severities[span] = self._severities[span].translate(_RAISED[severity])

    def oldest(self, severity: Severity, before: int) -> Iterator[tuple[int, int]]:
        """Give place and cost of those of a severity whose number lies before `before`, the oldest first."""
        place = self._severities.find(severity)
        while place >= 0:
            if self._seqs[place] < before:
                yield place, self._costs[place]
            place = self._severities.find(severity, place + 1)

    def remove(self, place: int) -> tuple[int, float, int]:
        """Forget one; give its number, its time and its cost."""
        del self._severities[place]
        return self._seqs.pop(place), self._times.pop(place), self._costs.pop(place)
