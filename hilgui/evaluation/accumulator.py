"""What every measurement over a run looks like: it grows by a moment and can be read at any time."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.figure import Figure
from hilgui.evaluation.row_log import RowLog
from hilgui.records import FrameRef, Moment, Role, Task, Vocabulary

_NEWEST = 1024  # frames that are at hand


@dataclass(frozen=True, slots=True)
class Subject:
    """Which model is measured, and by which rules."""

    role: Role
    vocabulary: Vocabulary  # with the classes that are judged
    threshold: float  # score of the operating point
    task: Task = Task.DETECTION
    model_classes: tuple[str, ...] = ()  # the model's own numbering
    scratch: Path | None = None  # folder for the rows of long runs; None: the system's for temporary files

    @property
    def judged(self) -> list[int]:
        """Give the judged class numbers in rising order."""
        return sorted(self.vocabulary.judged)


class Accumulator(Protocol):
    """Measures one model over the frames of one or more drives. Not thread-safe: one thread owns it.

    Reading in between changes nothing, and the last reading equals one over all frames at once exactly.
    """

    def start_drive(self, name: str) -> None:
        """Begin another drive: identities and blocks of frames do not go on across drives."""
        ...

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame; frames without truth or without this model are let pass."""
        ...

    def figures(self) -> dict[str, Figure]:
        """Read the figures over all frames so far, by their stable dotted names (`recall`, `recall.person`)."""
        ...

    def details(self) -> dict[str, Any]:
        """Give what is more than a number (curves, matrices) as JSON-like values, by stable names."""
        ...


@runtime_checkable
class Resampled(Protocol):
    """A measurement that can say how sure its figures are."""

    def with_intervals(self) -> dict[str, Figure]:
        """Read all figures, each with its interval or the reason why it has none."""
        ...


@runtime_checkable
class Blaming(Protocol):
    """A measurement that can name the frames behind its figures."""

    @property
    def book(self) -> FrameBook:
        """Give the frames that it judged."""
        ...

    def behind(self, figure: str) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Give frames of the book and how much each makes a figure worse; None for a figure of others."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One judged frame as figures remember it."""

    drive: int  # position of its drive
    seq: int
    key: str
    time_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Numbers and times of frames, side by side."""

    seqs: NDArray[np.int64]
    times_s: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[_Moments]) -> _Moments:
        """Put blocks one after the other."""
        if not parts:
            return cls(np.empty(0, np.int64), np.empty(0))
        return cls(np.concatenate([part.seqs for part in parts]), np.concatenate([part.times_s for part in parts]))


class _Frames(Sequence[Seen]):
    """Frames whose numbers and times go to a file once they are many; the name in `name.mp4#000123` is kept once."""

    def __init__(self, scratch: Path | None) -> None:
        self._seqs = array("q")  # of the newest frames
        self._times = array("d")
        self._before = RowLog(_Moments, scratch)
        self._spells: list[tuple[int, str]] = []  # drive and what stands before # in the keys of a run of frames
        self._starts: list[int] = []  # the first frame of each
        self._keys: dict[int, str] = {}  # those that are made otherwise

    def __len__(self) -> int:
        return len(self._before) + len(self._seqs)

    @overload
    def __getitem__(self, place: int) -> Seen: ...
    @overload
    def __getitem__(self, place: slice) -> list[Seen]: ...
    def __getitem__(self, place: int | slice) -> Seen | list[Seen]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        newest = place - len(self._before)
        if newest >= 0:
            seq, time_s = self._seqs[newest], self._times[newest]
        else:
            before = self._before.joined()
            seq, time_s = int(before.seqs[place]), float(before.times_s[place])
        drive, stem = self._spells[bisect_right(self._starts, place) - 1]
        return Seen(drive, seq, self._keys.get(place) or f"{stem}#{seq:06d}", time_s)

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give drive and time of every frame."""
        lengths = np.diff([*self._starts, len(self)])
        drives = np.repeat(np.array([drive for drive, _ in self._spells], np.int64), lengths)
        return drives, np.concatenate([self._before.joined().times_s, np.array(self._times)])

    def add(self, drive: int, ref: FrameRef) -> None:
        """Take one more."""
        stem = ref.key.rpartition("#")[0]
        if ref.key != f"{stem}#{ref.seq:06d}":
            self._keys[len(self)] = ref.key
            stem = ""
        if not self._spells or self._spells[-1] != (drive, stem):
            self._spells.append((drive, stem))
            self._starts.append(len(self))
        self._times.append(ref.time_s)
        self._seqs.append(ref.seq)
        if len(self._seqs) == _NEWEST:
            self._before.add(_Moments(np.array(self._seqs, np.int64), np.array(self._times)))
            self._seqs, self._times = array("q"), array("d")


class FrameBook:
    """Remembers the judged frames of all drives; the position in it is what match rows carry."""

    def __init__(self, scratch: Path | None = None) -> None:
        self.drives: list[str] = []
        self._frames = _Frames(scratch)

    @property
    def frames(self) -> Sequence[Seen]:
        """Give the judged frames in the order in which they came."""
        return self._frames

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give drive and time (s, NaN in an unordered set) of every judged frame."""
        return self._frames.places()

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.drives.append(name)

    def add(self, ref: FrameRef) -> int:
        """Give the frame its number."""
        if not self.drives:
            self.drives.append("")
        self._frames.add(len(self.drives) - 1, ref)
        return len(self._frames) - 1
