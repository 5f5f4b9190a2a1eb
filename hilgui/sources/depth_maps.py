"""Depth maps beside a recording, for fog: 16-bit PNG files, metres · 256, as KITTI's depth benchmark has them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.records import FrameRef
from hilgui.sources.image_header import image_size

_MOST_PIXELS = 100_000_000
_MAX_BYTES = 64 * 2**20
_PER_METRE = 256.0


class DepthMaps:
    """Gives each frame its distances; a map is read when somebody asks. Any thread.

    A single file stands for all frames (a camera that does not move). In a folder a map has the stem of its image, or
    the number of its frame (`000012.png`). Where nothing was measured (0) the nearest measured pixel counts.
    """

    def __init__(self, path: Path) -> None:
        """List the maps; raises SourceBroken where there is none."""
        self._path = path
        files = sorted(path.glob("*.png")) if path.is_dir() else [path] if path.is_file() else []
        if not files:
            raise SourceBroken(
                f"{path} holds no depth maps; give a grey 16-bit PNG (metres · 256), or a folder of one for each frame",
                path=path,
            )
        self._only = None if path.is_dir() else path
        self._by_stem = {file.stem: file for file in files}
        self._by_number = {int(stem): file for stem, file in self._by_stem.items() if stem.isascii() and stem.isdigit()}

    @property
    def sha256(self) -> str:
        """Give a hash of all maps with their names."""
        digest = hashlib.sha256()
        for stem, file in self._by_stem.items():
            digest.update(f"{stem}\0".encode())
            try:
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            except OSError as failure:
                raise SourceBroken(f"{file} cannot be read: {failure.strerror}", path=file) from failure
        return digest.hexdigest()

    def of(self, ref: FrameRef, height: int, width: int) -> NDArray[np.float32]:
        """Give (height, width) in metres; raises SourceBroken where the frame has no map, or a damaged one."""
        stem = Path(ref.key.replace("\\", "/")).stem
        file = self._only or self._by_stem.get(stem) or self._by_number.get(ref.seq)
        if file is None:
            raise SourceBroken(
                f"{self._path} has no depth map for frame {ref.seq} ({ref.key}): name it {ref.seq:06d}.png, "
                "or leave the depth out: a flat street stands in",
                path=self._path,
            )
        raw = cv2.resize(_read(file), (width, height), interpolation=cv2.INTER_NEAREST)
        return _filled(np.asarray(raw, np.uint16), file)


def _read(file: Path) -> NDArray[np.uint16]:
    try:
        content = file.read_bytes() if file.stat().st_size <= _MAX_BYTES else b""
    except OSError as failure:
        raise SourceBroken(f"{file} cannot be read: {failure.strerror}", path=file) from failure
    size = image_size(content)
    image = None
    if size is not None and size[0] * size[1] <= _MOST_PIXELS:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16 or image.ndim != 2:
        raise SourceBroken(f"{file} is no grey PNG with 16 bits (metres · 256); export the depth as such", path=file)
    return np.asarray(image, np.uint16)


def _filled(raw: NDArray[np.uint16], file: Path) -> NDArray[np.float32]:
    """Turn samples into metres and give each pixel that was not measured the distance of the nearest one that was."""
    unknown = (raw == 0).astype(np.uint8)
    if unknown.all():
        raise SourceBroken(f"{file} holds no distance at all; export it again", path=file)
    metres = raw.astype(np.float32) / np.float32(_PER_METRE)
    if not unknown.any():
        return metres
    _, nearest = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = np.zeros(int(nearest.max()) + 1, np.float32)
    of_label[nearest[unknown == 0]] = metres[unknown == 0]
    return np.asarray(of_label[nearest], np.float32)
