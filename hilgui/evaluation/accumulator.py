"""What every measurement over a run looks like: it grows by a moment and can be read at any time."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, overload

from hilgui.evaluation.figure import Figure
from hilgui.records import FrameRef, Moment, Role, Task, Vocabulary


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


@dataclass(frozen=True, slots=True)
class Seen:
    """One judged frame as figures remember it."""

    drive: int  # position of its drive
    seq: int
    key: str
    time_s: float


class _Frames(Sequence[Seen]):
    """Frames in 16 bytes each: of a key `name.mp4#000123` only the name is kept, once while it does not change."""

    def __init__(self) -> None:
        self._seqs = array("q")
        self._times = array("d")
        self._spells: list[tuple[int, str]] = []  # drive and what stands before # in the keys of a run of frames
        self._starts: list[int] = []  # the first frame of each
        self._keys: dict[int, str] = {}  # those that are made otherwise

    def __len__(self) -> int:
        return len(self._seqs)

    @overload
    def __getitem__(self, place: int) -> Seen: ...
    @overload
    def __getitem__(self, place: slice) -> list[Seen]: ...
    def __getitem__(self, place: int | slice) -> Seen | list[Seen]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        seq, (drive, stem) = self._seqs[place], self._spells[bisect_right(self._starts, place) - 1]
        key = self._keys.get(place) or f"{stem}#{seq:06d}"
        return Seen(drive, seq, key, self._times[place])

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


class FrameBook:
    """Remembers the judged frames of all drives; the position in it is what match rows carry."""

    def __init__(self) -> None:
        self.drives: list[str] = []
        self._frames = _Frames()

    @property
    def frames(self) -> Sequence[Seen]:
        """Give the judged frames in the order in which they came."""
        return self._frames

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.drives.append(name)

    def add(self, ref: FrameRef) -> int:
        """Give the frame its number."""
        if not self.drives:
            self.drives.append("")
        self._frames.add(len(self.drives) - 1, ref)
        return len(self._frames) - 1
