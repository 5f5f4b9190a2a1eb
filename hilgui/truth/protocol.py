"""What a label file says, before it is joined to a recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from hilgui.records import Truth
from hilgui.records.masks import ClassTruth, DepthTruth, LaneTruth, MaskTruth

# Gives the (width, height) of the picture with that key, None where nobody knows.
Sizes = Callable[[str], tuple[int, int] | None]


class MaskLabel(Protocol):
    """A class map that lies in a file until somebody asks for it."""

    def load(self) -> MaskTruth:
        """Read it; raises TruthBroken."""
        ...


class LaneLabel(Protocol):
    """Lanes that lie in a file, or in memory, until somebody asks for them."""

    def load(self) -> LaneTruth:
        """Read them; raises TruthBroken."""
        ...


class DepthLabel(Protocol):
    """Distances that lie in a file until somebody asks for them."""

    def load(self) -> DepthTruth:
        """Read them; raises TruthBroken."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """One frame that the labels know; at least one of `key`, `index`, `time_s` is given.

    `truth` is None where the labels speak of pixels or lanes and not of boxes: such a frame is not empty, its objects
    are unlabelled. The classes of `truth` are indices into `Labels.names` (or NO_CLASS).
    """

    truth: Truth | None
    key: str = ""  # file name as the labels write it
    index: int | None = None  # frame number within the recording, from 0
    time_s: float | None = None  # recording time, or seconds since 1970
    width: int = 0  # of the picture as the labels tell it, 0 where they do not
    height: int = 0
    mask: MaskLabel | None = None
    lanes: LaneLabel | None = None
    depth: DepthLabel | None = None
    classes: ClassTruth | None = None  # of the whole picture


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
    notes: tuple[str, ...] = ()  # sentences for the operator: what was left out, what the files contradict


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


class SizedTruthReader(TruthReader, Protocol):
    """Reads a format with boxes in shares of the picture; `read` may be told the sizes of the pictures."""

    needs_sizes: ClassVar[bool]

    @classmethod
    def read(cls, path: Path, sizes: Sizes | None = None) -> Labels:
        """Read the labels; raises TruthBroken, also for a picture whose size nobody knows."""
        ...
