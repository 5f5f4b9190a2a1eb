"""Where converted labels go: the files of one call, written beside each other or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hilgui.errors import BenchBroken, CallWrong
from hilgui.truth.image_size import stem
from hilgui.truth.protocol import LabelledFrame, Labels

_FORBIDDEN = frozenset('/\\:*?"<>|') | {chr(code) for code in range(32)}


@dataclass(slots=True)
class Target:
    """Files to be written under `out`, by their path from there; "" is `out` itself."""

    out: Path
    files: dict[str, str] = field(default_factory=dict)
    objects: int = 0  # in all files

    def add(self, name: str, text: str, objects: int) -> None:
        """Take one file with so many objects; raises CallWrong where another has its name."""
        if name in self.files:
            raise CallWrong(f"two labelled frames would both be written to {name}; convert one drive at a time")
        self.files[name] = text
        self.objects += objects

    def write(self, *, force: bool) -> None:
        """Write all files; raises CallWrong where something is in the way, BenchBroken where the disk refuses."""
        paths = {self.out / name if name else self.out: text for name, text in self.files.items()}
        try:
            self._look(paths, force=force)
            for path, text in paths.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, text)
        except OSError as failure:
            raise BenchBroken(f"{self.out} cannot be written: {failure.strerror or failure}", path=self.out) from (
                failure
            )

    def _look(self, paths: dict[Path, str], *, force: bool) -> None:
        """Refuse what would overwrite, and folders with label files that would mix with these."""
        if "" in self.files and self.out.is_dir():
            raise CallWrong(f"{self.out} is a folder; this format is one file, give its name")
        if "" not in self.files and self.out.is_file():
            raise CallWrong(f"{self.out} is a file; this format is a folder, give its name")
        there = [path for path in paths if path.exists()]
        if there and not force:
            raise CallWrong(f"{there[0]} exists; --force overwrites it, or give another name")
        if "" in self.files:
            return
        suffixes = {path.suffix for path in paths}
        for folder in {path.parent for path in paths if path.parent.is_dir()}:
            strange = [file for file in folder.iterdir() if file.suffix in suffixes and file not in paths]
            if strange:
                raise CallWrong(
                    f"{folder} holds {strange[0].name}, which would mix with these labels; give a new folder"
                )


def frame_name(frame: LabelledFrame, position: int) -> str:
    """Give the file name of a frame's labels, without suffix: its own, else its number, else its place."""
    name = stem(frame.key) if frame.key else f"{position if frame.index is None else frame.index:06d}"
    if not name.strip(". ") or len(name.encode()) > 200 or set(name) & _FORBIDDEN:
        raise CallWrong(f"the frame {frame.key[:80]!r} cannot name a file; convert to coco or openlabel instead")
    return name


def boxed(labels: Labels) -> list[LabelledFrame]:
    """List the frames with boxes; raises CallWrong where there are none."""
    frames = [frame for frame in labels.frames if frame.truth is not None]
    if not frames:
        raise CallWrong(f"{labels.path} holds {labels.format} and no boxes; only boxes can be converted")
    return frames


def decimal(value: float, places: int) -> str:
    """Write a number with at most so many places, without needless zeros."""
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _write(path: Path, text: str) -> None:
    """Write beside the place and move there, so that a broken write leaves what was."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
