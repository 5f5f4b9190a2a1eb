"""Moments on their way to the screen: without what is not drawn, and quick to read."""

from __future__ import annotations

import io
import pickle
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.records import Moment

_NAMES: dict[type, tuple[str, ...]] = {}  # of the fields of each record; empty for what is none


def without_maps(moment: Moment) -> Moment:
    """Leave out answers and truths that are as large as the picture: the screen draws boxes."""
    inferences = {
        role: each if each.segmentation is None and each.depth is None else replace(each, segmentation=None, depth=None)
        for role, each in moment.inferences.items()
    }
    return replace(moment, inferences=inferences, mask_truth=None, depth_truth=None)


def pack(moment: Moment) -> bytes:
    """Write a moment so that `pickle.loads` calls constructors, at half the cost of setting field by field."""
    written = io.BytesIO()
    _Packer(written, pickle.HIGHEST_PROTOCOL).dump(moment)
    return written.getvalue()


class _Packer(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        kind = type(thing)
        if kind is np.ndarray:
            return _array, (thing.tobytes(), thing.dtype.str, thing.shape)
        names = _NAMES.get(kind)
        if names is None:
            is_record = is_dataclass(thing) and not isinstance(thing, type)
            names = _NAMES[kind] = tuple(field.name for field in fields(thing)) if is_record else ()
        if names:
            return kind, tuple([getattr(thing, name) for name in names])
        return NotImplemented


def _array(content: bytes, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.frombuffer(content, kind).reshape(shape)
