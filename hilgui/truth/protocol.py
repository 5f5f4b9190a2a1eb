"""What a label file says, before it is joined to a recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from hilgui.records import Truth


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """One frame that the label file knows; at least one of `key`, `index`, `time_s` is given.

    The classes of `truth` are indices into `Labels.names` (or NO_CLASS).
    """

    truth: Truth
    key: str = ""  # file name as the labels write it
    index: int | None = None  # frame number within the recording, from 0
    time_s: float | None = None  # recording time


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Everything one label file (or folder) says. Frames that are absent are unlabelled, not empty."""

    path: Path
    format: str
    names: tuple[str, ...]  # class names as the labels write them
    frames: tuple[LabelledFrame, ...]
    sha256: str
    class_map: str = ""  # shipped class map that fits this format, "" when names need no translation
    conditions: dict[str, str] = field(default_factory=dict)  # day part, weather, ...


class TruthReader(Protocol):
    """Reads one label format."""

    format: ClassVar[str]

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say by content whether this class reads the path; must not raise on any file."""
        ...

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken naming file, line where known, and what to try."""
        ...
