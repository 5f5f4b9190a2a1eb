"""A folder of images: a drive when a frame rate is given, else an unordered set."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from hilgui.errors import SourceBroken
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.fingerprint import folder_sha256
from hilgui.stream import StopToken

_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})


class ImageFolder:
    """Reads the images of one folder, sorted by name with numbers in numeric order."""

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, path: Path, fps: float | None = None) -> None:
        self._path = path
        self._fps = fps
        self._files: list[Path] = []

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the folder holds an image."""
        return path.is_dir() and any(entry.suffix.lower() in _IMAGES for entry in path.iterdir())

    def open(self) -> SourceFacts:
        """List and hash the images; raises SourceBroken."""
        try:
            files = [entry for entry in self._path.iterdir() if entry.suffix.lower() in _IMAGES and entry.is_file()]
            self._files = sorted(files, key=_natural)
            if not self._files:
                raise SourceBroken(f"the folder {self._path} holds no images; choose another one", path=self._path)
            sha256 = folder_sha256(self._files)
        except OSError as failure:
            raise SourceBroken(f"the folder {self._path} cannot be read: {failure}", path=self._path) from failure
        return SourceFacts(
            name=self._path.name,
            kind="image folder",
            path=str(self._path.resolve()),
            sha256=sha256,
            width=0,
            height=0,
            fps=self._fps,
            frames=len(self._files),
            ordered=self._fps is not None,
        )

    def refs(self) -> list[FrameRef]:
        """Name every image; sizes are known only once it is read."""
        return [self._ref(seq, 0, 0) for seq in range(len(self._files))]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Read one image after the other; one that is no picture is a Loss."""
        for seq in range(len(self._files)):
            if stop.is_set:
                return
            try:
                yield self.frame_at(seq)
            except SourceBroken as failure:
                yield Loss(self._ref(seq, 0, 0), Fate.DROPPED, str(failure))

    def frame_at(self, seq: int) -> Frame:
        """Read one image; raises IndexError, SourceBroken."""
        if not 0 <= seq < len(self._files):
            raise IndexError(f"{self._path.name} has images 0 to {len(self._files) - 1}, not {seq}")
        path = self._files[seq]
        try:
            data = np.fromfile(path, np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
        except (OSError, cv2.error) as failure:
            raise SourceBroken(f"the image {path} cannot be read: {failure}", path=path) from failure
        if image is None:
            raise SourceBroken(f"{path} is not an image that can be read; copy it again", path=path)
        image.flags.writeable = False
        return Frame(self._ref(seq, image.shape[1], image.shape[0]), np.asarray(image, np.uint8))

    def close(self) -> None:
        """Hold nothing open."""

    def _ref(self, seq: int, width: int, height: int) -> FrameRef:
        path = self._files[seq]
        time_s = math.nan if self._fps is None else seq / self._fps
        if self._fps is None:
            stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        else:
            stamp = datetime.fromtimestamp(self._files[0].stat().st_mtime, UTC) + timedelta(seconds=time_s)
        return FrameRef(seq, path.name, time_s, stamp, time.monotonic_ns(), width, height)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts if part]
