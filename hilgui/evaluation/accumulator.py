"""What every measurement over a run looks like: it grows by a moment and can be read at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

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

    @classmethod
    def of(cls, drive: int, ref: FrameRef) -> Seen:
        """Keep what names the frame."""
        return cls(drive, ref.seq, ref.key, ref.time_s)


class FrameBook:
    """Remembers the judged frames of all drives; the position in it is what match rows carry."""

    def __init__(self) -> None:
        self.drives: list[str] = []
        self.frames: list[Seen] = []

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.drives.append(name)

    def add(self, ref: FrameRef) -> int:
        """Give the frame its number."""
        if not self.drives:
            self.drives.append("")
        self.frames.append(Seen.of(len(self.drives) - 1, ref))
        return len(self.frames) - 1
