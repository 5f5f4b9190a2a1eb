"""The newest frame in memory that front end and engine share, and what the front end wants to see of it."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.engine.packing import pack, without_maps
from hilgui.records import Frame, FrameRef, Moment
from hilgui.scaling import Cut, Scaler, is_within
from hilgui.shared_memory import SharedMemory

CAPACITY = 40 * 1024 * 1024  # one 4K picture; larger ones are shown at half size
# Version before, version after, height, width, bytes of the moment; what the part is of and its size, 0 where there is
# none. Then the wish: versions, the same six numbers, a period. Packed apart: `pack_into` clears what it fills.
_VERSION, _SIZES, _CUT, _PERIOD = struct.Struct("<Q"), struct.Struct("<III"), struct.Struct("<6i"), struct.Struct("<d")
_BEFORE_AT, _AFTER_AT, _SIZES_AT, _PART_AT = 0, 8, 16, 32
_ASKED_BEFORE_AT, _ASKED_AFTER_AT, _ASKED_AT, _PERIOD_AT = 64, 72, 80, 104
_HEAD_BYTES = 128
_PICKLED = 4 * 1024 * 1024
_NOTHING = Cut(0, 0, 0, 0, 0, 0)
_USUAL_PERIOD_S = 1 / 30


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame as the screen gets it; a very large picture arrives at a fraction of `ref`'s size.

    Where the front end asked for a part of the picture it finds it in `ready`, scaled, and no `image`; `whole` gives
    the picture too as long as no newer one has come, then None.
    """

    ref: FrameRef
    image: NDArray[np.uint8] | None
    moment: Moment
    ready: tuple[Cut, NDArray[np.uint8]] | None = None  # (height, width, 4) as `hilgui.scaling` makes it
    whole: Callable[[], NDArray[np.uint8] | None] | None = None


class SharedScreen:
    """One slot with a version number on both sides: the writer never waits, the reader retries a torn read."""

    def __init__(self, memory: SharedMemory | None = None) -> None:
        """Make new memory, or look at what another process made. Raises OSError."""
        self.memory = memory or SharedMemory.make(CAPACITY, "screen")
        self._map = self.memory.map
        self._scaler = Scaler()
        self._seen = 0
        self._written = 0
        self._asked = 0
        self._wish = (_NOTHING, _USUAL_PERIOD_S)

    # -- the engine's side --------------------------------------------------------------------------------------------

    def show(self, frame: Frame, moment: Moment) -> None:
        """Put the newest frame, and the part that the front end wants; called by one thread of the engine."""
        image = frame.image
        while image.nbytes > CAPACITY - _PICKLED - _HEAD_BYTES:
            image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        packed = pack(without_maps(moment))
        if len(packed) > _PICKLED:
            return
        cut = self._wanted(image) if image is frame.image else _NOTHING
        part = None if cut is _NOTHING else self._scaler.scaled(image, cut)
        before = self._written + 1
        _VERSION.pack_into(self._map, _BEFORE_AT, before)
        _SIZES.pack_into(self._map, _SIZES_AT, *image.shape[:2], len(packed))
        _CUT.pack_into(self._map, _PART_AT, *cut)
        start = _HEAD_BYTES
        self._map[start : start + len(packed)] = packed
        start += len(packed)
        for pixels in (image,) if part is None else (image, part):
            np.frombuffer(self._map, np.uint8, pixels.nbytes, start).reshape(pixels.shape)[:] = pixels
            start += pixels.nbytes
        _VERSION.pack_into(self._map, _AFTER_AT, before)
        self._written = before

    @property
    def period_s(self) -> float:
        """Give how long the front end wants to look at a frame."""
        return self._look_up()[1]

    def _wanted(self, image: NDArray[np.uint8]) -> Cut:
        """Give the part that is wanted, nothing where it is not one of this picture or has no room beside it."""
        cut, _ = self._look_up()
        has_room = 4 * cut.width * cut.height <= CAPACITY - _PICKLED - _HEAD_BYTES - image.nbytes
        return cut if has_room and is_within(image, cut) else _NOTHING

    def _look_up(self) -> tuple[Cut, float]:
        (after,) = _VERSION.unpack_from(self._map, _ASKED_AFTER_AT)
        wish = Cut(*_CUT.unpack_from(self._map, _ASKED_AT)), float(*_PERIOD.unpack_from(self._map, _PERIOD_AT))
        if after and _VERSION.unpack_from(self._map, _ASKED_BEFORE_AT)[0] == after:  # else it is being written
            self._wish = wish
        return self._wish

    # -- the front end's side -----------------------------------------------------------------------------------------

    def ask(self, cut: Cut | None, period_s: float) -> None:
        """Say which part of the next frames is looked at, None for the whole of them, and how often."""
        self._asked += 1
        _VERSION.pack_into(self._map, _ASKED_BEFORE_AT, self._asked)
        _CUT.pack_into(self._map, _ASKED_AT, *(cut or _NOTHING))
        _PERIOD.pack_into(self._map, _PERIOD_AT, period_s)
        _VERSION.pack_into(self._map, _ASKED_AFTER_AT, self._asked)

    def newest(self) -> Shown | None:
        """Take the newest frame; None where there is none since the last call."""
        for _ in range(3):
            (after,) = _VERSION.unpack_from(self._map, _AFTER_AT)
            if after == self._seen or not self._is(after):
                return None
            height, width, length = _SIZES.unpack_from(self._map, _SIZES_AT)
            cut = Cut(*_CUT.unpack_from(self._map, _PART_AT))
            start = _HEAD_BYTES + length
            packed = self._map[_HEAD_BYTES:start]
            shape = (height, width, 3)
            if cut == _NOTHING:
                pixels = self._copy(start, shape)
            else:
                pixels = self._copy(start + height * width * 3, (cut.height, cut.width, 4))
            if self._is(after):
                self._seen = after
                moment = pickle.loads(packed)  # written by our own child
                if cut == _NOTHING:
                    return Shown(moment.ref, pixels, moment)
                return Shown(moment.ref, None, moment, (cut, pixels), partial(self._whole, after, start, shape))
        return None

    def _whole(self, version: int, start: int, shape: tuple[int, int, int]) -> NDArray[np.uint8] | None:
        if self._map.closed or not self._is(version):
            return None
        pixels = self._copy(start, shape)
        return pixels if self._is(version) else None

    def _is(self, version: int) -> bool:
        """Say whether the slot still holds this version, and no newer one is being written."""
        return bool(_VERSION.unpack_from(self._map, _BEFORE_AT)[0] == version)

    def _copy(self, start: int, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        height, width, depth = shape
        return np.frombuffer(self._map, np.uint8, height * width * depth, start).reshape(shape).copy()

    def close(self) -> None:
        """Let go; may be called twice."""
        self.memory.close()
