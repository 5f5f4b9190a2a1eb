"""A folder of images: a drive when its stamps or its rate are known, else an unordered set."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.camera_profile import find_profile
from hilgui.sources.container import refuse_huge
from hilgui.sources.fingerprint import folder_sha256
from hilgui.sources.image_header import image_size
from hilgui.sources.image_layout import IMAGES, Layout, find_layout
from hilgui.sources.image_stamps import Stamps, find_stamps
from hilgui.sources.protocol import UNREADABLE
from hilgui.sources.raw_pixels import BAYER, from_bayer, is_deep
from hilgui.stream import StopToken

_HEADER_BYTES = 2**16
_DECODERS = 2  # PNG takes 13 ms where the network may take 7; OpenCV lets other threads run meanwhile
_AHEAD = 4  # pictures that are decoded, or being decoded, before they are asked for


class ImageFolder:
    """Reads the images of one folder, sorted by name with numbers in numeric order.

    Time comes from `fps` where it is given, else from stamps (see `image_stamps`), else from the rate that the data
    set states (see `image_layout`). `bayer` says that the images are raw: "rggb", "bggr", "gbrg" or "grbg".
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, path: Path, fps: float | None = None, bayer: str | None = None) -> None:
        self._path = path
        self._given_fps = fps
        self._bayer = bayer
        self._files: list[Path] = []
        self._times: list[float] = []
        self._start = datetime.fromtimestamp(0, UTC)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the folder, or the one of its folders that the layout of a data set names, holds an image."""
        try:
            return path.is_dir() and find_layout(path) is not None
        except SourceBroken:
            return True  # `open` says why

    def open(self) -> SourceFacts:
        """List and hash the images and find their stamps; raises SourceBroken."""
        layout = find_layout(self._path)
        if layout is None:
            raise SourceBroken(f"the folder {self._path} holds no images; choose another one", path=self._path)
        try:
            files = [entry for entry in layout.images.iterdir() if entry.suffix.lower() in IMAGES and entry.is_file()]
            self._files = sorted(files, key=_natural)
            sha256 = folder_sha256(self._files)
        except OSError as failure:
            raise SourceBroken(f"the folder {self._path} cannot be read: {failure}", path=self._path) from failure
        notes = [*layout.notes, *self._choose_bayer()]
        stamps = self._choose_times(layout, notes)
        if layout.stated_frames is not None and layout.stated_frames != len(self._files):
            notes.append(f"the data set states {layout.stated_frames} pictures, {len(self._files)} are there and count")
        ordered = bool(self._times)
        steps = np.diff(self._times) if stamps is not None else None
        fps = 1 / float(np.median(steps)) if steps is not None and len(steps) else self._given_fps or layout.fps
        return SourceFacts(
            name=self._path.name or self._path.resolve().name,
            kind="image folder",
            path=str(self._path.resolve()),
            sha256=sha256,
            width=0,
            height=0,
            fps=fps if ordered else None,
            frames=len(self._files),
            ordered=ordered,
            notes=tuple(notes),
        )

    def refs(self) -> list[FrameRef]:
        """Name every image, with the size that its header states; 0 and 0 where only decoding would tell."""
        return [self._ref(seq, *_stated_size(path)) for seq, path in enumerate(self._files)]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Read one image after the other, some of them ahead in other threads; one that is no picture is a Loss."""
        pool = ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode")
        ahead: deque[Future[Frame | Loss]] = deque()
        try:
            for seq in range(len(self._files) + _AHEAD):
                if stop.is_set:
                    return
                if seq < len(self._files):
                    ahead.append(pool.submit(self._frame_or_loss, seq))
                if ahead and seq >= _AHEAD:
                    item = ahead.popleft().result()
                    yield replace(item, ref=replace(item.ref, captured_ns=time.monotonic_ns()))
        finally:
            pool.shutdown(cancel_futures=True)

    def _frame_or_loss(self, seq: int) -> Frame | Loss:
        try:
            return self.frame_at(seq)
        except SourceBroken as failure:
            return Loss(self._ref(seq, 0, 0), Fate.DROPPED, UNREADABLE, str(failure))

    def frame_at(self, seq: int) -> Frame:
        """Read one image; raises IndexError, SourceBroken."""
        if not 0 <= seq < len(self._files):
            raise IndexError(f"{self._path.name} has images 0 to {len(self._files) - 1}, not {seq}")
        path = self._files[seq]
        try:
            image, raw = self._decode(path)
        except (OSError, cv2.error, ValueError) as failure:
            raise SourceBroken(f"the image {path} cannot be read: {failure}", path=path) from failure
        if image is None:
            raise SourceBroken(f"{path} is not an image that can be read; copy it again", path=path)
        image.flags.writeable = False
        return Frame(self._ref(seq, image.shape[1], image.shape[0]), image, raw)

    def close(self) -> None:
        """Hold nothing open."""

    def _decode(self, path: Path) -> tuple[NDArray[np.uint8] | None, Any]:
        """Give the picture in BGR of 8 bits, and the samples of the file where that is a reduction of them."""
        data = np.fromfile(path, np.uint8)
        if not len(data):
            return None, None
        size = image_size(data.tobytes()[: 2**17] if path.suffix.lower() not in (".tif", ".tiff") else data.tobytes())
        if size is not None:
            refuse_huge(*size, path)
        raw: Any = None
        if self._bayer or is_deep(data[:32].tobytes()):
            raw = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if raw is None:
                return None, None
            if self._bayer and raw.dtype not in (np.uint8, np.uint16):
                raise ValueError(f"a raw picture has samples of 8 or 16 bits, not {raw.dtype}")
            raw.flags.writeable = False
        if self._bayer:
            return from_bayer(raw, self._bayer), raw
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        is_reduced = raw is not None and raw.dtype == np.uint16
        return None if image is None else np.asarray(image, np.uint8), raw if is_reduced else None

    def _choose_bayer(self) -> list[str]:
        if self._bayer is None:
            profile = find_profile(self._path)
            self._bayer = profile.bayer if profile is not None else None
        if self._bayer is None:
            return []
        self._bayer = self._bayer.lower()
        if self._bayer not in BAYER:
            raise SourceBroken(f"{self._bayer!r} is no Bayer pattern; choose of {', '.join(BAYER)}", path=self._path)
        return [f"raw Bayer {self._bayer.upper()}: interpolated, deeper samples shown with a gamma of 2.2 in 8 bits"]

    def _choose_times(self, layout: Layout, notes: list[str]) -> Stamps | None:
        """Give every image its time, or none where nothing is known."""
        self._start = datetime.fromtimestamp(self._files[0].stat().st_mtime, UTC)
        self._times = []
        stamps = None if self._given_fps else find_stamps(self._files, (layout.images, layout.images.parent))
        if stamps is not None:
            self._times = [(stamp - stamps.ns[0]) / 1e9 for stamp in stamps.ns]
            if stamps.is_epoch:
                self._start = datetime.fromtimestamp(stamps.ns[0] / 1e9, UTC)
            notes.append(f"time comes from {stamps.origin}")
        elif fps := self._given_fps or layout.fps:
            self._times = [seq / fps for seq in range(len(self._files))]
            if self._given_fps is None:
                notes.append(f"no stamps: the data set states {fps:g} pictures a second")
        return stamps

    def _ref(self, seq: int, width: int, height: int) -> FrameRef:
        path = self._files[seq]
        if self._times:
            time_s = self._times[seq]
            stamp = self._start + timedelta(seconds=time_s)
        else:
            time_s = math.nan
            stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else self._start
        return FrameRef(seq, path.name, time_s, stamp, time.monotonic_ns(), width, height)


def _stated_size(path: Path) -> tuple[int, int]:
    """Give width and height as the picture will be decoded; one that Exif may turn is not told."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError:
        return 0, 0
    if head.startswith(b"\xff\xd8") and b"Exif\0\0" in head:
        return 0, 0
    return image_size(head) or (0, 0)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts if part]
