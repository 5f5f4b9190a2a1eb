"""The newest frame in memory that front end and engine share."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.records import Frame, FrameRef, Moment
from hilgui.shared_memory import SharedMemory

CAPACITY = 40 * 1024 * 1024  # one 4K picture; larger ones are shown at half size
# Version before, version after, height, width, bytes of the moment. Packed apart: `pack_into` clears what it fills.
_BEFORE, _AFTER, _SIZES = struct.Struct("<Q"), struct.Struct("<Q"), struct.Struct("<III")
_HEAD_BYTES = 32
_PICKLED = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame as the screen gets it; a very large picture arrives at a fraction of `ref`'s size."""

    ref: FrameRef
    image: NDArray[np.uint8]
    moment: Moment


class SharedScreen:
    """One slot with a version number on both sides: the writer never waits, the reader retries a torn read."""

    def __init__(self, memory: SharedMemory | None = None) -> None:
        """Make new memory, or look at what another process made. Raises OSError."""
        self.memory = memory or SharedMemory.make(CAPACITY, "screen")
        self._map = self.memory.map
        self._seen = 0
        self._written = 0

    def show(self, frame: Frame, moment: Moment) -> None:
        """Put the newest frame; called by one thread of the engine."""
        image = frame.image
        while image.nbytes > CAPACITY - _PICKLED - _HEAD_BYTES:
            image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        packed = pickle.dumps(moment, pickle.HIGHEST_PROTOCOL)
        if len(packed) > _PICKLED:
            return
        height, width = image.shape[:2]
        before = self._written + 1
        _BEFORE.pack_into(self._map, 0, before)
        _SIZES.pack_into(self._map, 16, height, width, len(packed))
        start = _HEAD_BYTES
        np.frombuffer(self._map, np.uint8, image.nbytes, start).reshape(image.shape)[:] = image
        self._map[start + image.nbytes : start + image.nbytes + len(packed)] = packed
        _AFTER.pack_into(self._map, 8, before)
        self._written = before

    def newest(self) -> Shown | None:
        """Take the newest frame; None where there is none since the last call."""
        for _ in range(3):
            (after,) = _AFTER.unpack_from(self._map, 8)
            (before,) = _BEFORE.unpack_from(self._map, 0)
            if after == self._seen or before != after:
                return None
            height, width, length = _SIZES.unpack_from(self._map, 16)
            size, start = height * width * 3, _HEAD_BYTES
            image = np.frombuffer(self._map, np.uint8, size, start).reshape(height, width, 3).copy()
            packed = self._map[start + size : start + size + length]
            if _BEFORE.unpack_from(self._map, 0)[0] == before:
                self._seen = after
                moment = pickle.loads(packed)  # written by our own child
                return Shown(moment.ref, image, moment)
        return None

    def close(self) -> None:
        """Let go; may be called twice."""
        self.memory.close()
