"""Packs outputs and truths that are no boxes: a JSON head, then arrays, folded.

Maps are kept at the network's own resolution and scaled again when read, so they come back bit by bit and stay small.
A name says whose answer to which task it is: `baseline.depth`, `truth.lanes`. Readers leave names alone that they do
not know, so a new kind of answer needs no new version of the store.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.records import (
    Classification,
    ClassTruth,
    Depth,
    DepthTruth,
    DepthUnit,
    FeatureSample,
    LabelMap,
    Lanes,
    LaneTruth,
    MaskTruth,
    Moment,
    Role,
    Segmentation,
    Truth,
)

_QUICK = 1  # zlib level: label maps fold to a hundredth already
_MAX_BYTES = 512 * 2**20  # of one answer unfolded; a stored run is untrusted input
FEATURES = "features"
_TRUTH = "truth"
_SHARPNESS = "frame.sharpness"
_TRUNCATION = f"{_TRUTH}.truncation"
_TAGS = f"{_TRUTH}.tags"
_MASK, _LANES, _DEPTH, _CLASSES = "mask", "lanes", "depth", "classes"


def answers_of(moment: Moment) -> Iterator[tuple[str, bytes]]:
    """Give name and blob of everything in a moment that is no box."""
    if math.isfinite(moment.health.sharpness):
        health = moment.health
        figures = (health.sharpness, health.saturation, health.warmth, health.noise)
        yield _SHARPNESS, np.array(figures, "<f8").tobytes()
    for role, inference in moment.inferences.items():
        if inference.classification is not None:
            yield f"{role}.classification", _pack_classification(inference.classification)
        if inference.segmentation is not None:
            yield f"{role}.segmentation", _pack_segmentation(inference.segmentation)
        if inference.lanes is not None:
            lanes = inference.lanes
            yield f"{role}.lanes", _pack_lines(lanes.lines, lanes.scores)
        if inference.depth is not None:
            yield f"{role}.depth", _pack_depth(inference.depth)
    if moment.truth is not None and np.isfinite(moment.truth.truncation).any():
        yield _TRUNCATION, moment.truth.truncation.astype("<f4").tobytes()
    if moment.truth is not None and moment.truth.tags:
        yield _TAGS, _fold({"tags": moment.truth.tags})
    if moment.mask_truth is not None:
        mask = moment.mask_truth
        yield f"{_TRUTH}.{_MASK}", _fold({"names": mask.names, "ignore": mask.ignore}, mask.classes)
    if moment.lane_truth is not None:
        yield f"{_TRUTH}.{_LANES}", _pack_lines(moment.lane_truth.lanes)
    if moment.depth_truth is not None:
        yield f"{_TRUTH}.{_DEPTH}", _fold({}, moment.depth_truth.raw)
    if moment.class_truth is not None:
        yield f"{_TRUTH}.{_CLASSES}", _fold({"names": moment.class_truth.names}, moment.class_truth.classes)


def features_of(sample: FeatureSample) -> Iterator[tuple[str, bytes]]:
    """Give name and blob of the features of each model."""
    for role, numbers in sample.features.items():
        yield f"{role}.{FEATURES}", numbers.astype("<f4", copy=False).tobytes()


def features(blob: bytes) -> NDArray[np.float32]:
    """Read the features of a model; raises ValueError on damage."""
    return np.frombuffer(blob, "<f4").astype(np.float32)


def health_figures(blobs: Mapping[str, bytes]) -> tuple[float, float, float, float]:
    """Give sharpness, saturation, warmth and noise of a picture, NaN in runs of before; raises ValueError on damage."""
    stored = np.frombuffer(blobs.get(_SHARPNESS, b""), "<f8")
    if len(stored) > 4:
        raise ValueError("a stored picture has more figures than there are")
    figures = np.full(4, math.nan)
    figures[: len(stored)] = stored
    sharp, saturation, warmth, noise = map(float, figures)
    return sharp, saturation, warmth, noise


def with_truncation(truth: Truth | None, blobs: Mapping[str, bytes]) -> Truth | None:
    """Give labels the shares outside the picture, where any is known; raises ValueError on damage."""
    if truth is None or _TRUNCATION not in blobs:
        return truth
    shares = np.frombuffer(blobs[_TRUNCATION], "<f4")
    if len(shares) != len(truth):
        raise ValueError("a stored row of truncations has lost some")
    return replace(truth, truncation=shares.astype(np.float32))


def with_tags(truth: Truth | None, blobs: Mapping[str, bytes]) -> Truth | None:
    """Give labels their attributes, where any has some; raises ValueError on damage."""
    if truth is None or _TAGS not in blobs:
        return truth
    head, _ = _unfold(blobs[_TAGS])
    tags = tuple(tuple((str(name), str(value)) for name, value in each) for each in head["tags"])
    if len(tags) != len(truth):
        raise ValueError("a stored row of attributes has lost some")
    return replace(truth, tags=tags)


def outputs(role: Role, blobs: Mapping[str, bytes]) -> dict[str, Any]:
    """Give the fields of an `Inference` that are no boxes; raises ValueError, KeyError or TypeError on damage."""
    readers = {
        "classification": _classification,
        "segmentation": _segmentation,
        "lanes": _lanes,
        "depth": _depth,
    }
    return {task: read(blobs[f"{role}.{task}"]) for task, read in readers.items() if f"{role}.{task}" in blobs}


def truths(blobs: Mapping[str, bytes]) -> dict[str, Any]:
    """Give the fields of a `Moment` that hold truth other than boxes; raises like `outputs`."""
    readers = {
        "mask_truth": (_MASK, _mask_truth),
        "lane_truth": (_LANES, _lane_truth),
        "depth_truth": (_DEPTH, _depth_truth),
        "class_truth": (_CLASSES, _class_truth),
    }
    found = {field: (blobs.get(f"{_TRUTH}.{name}"), read) for field, (name, read) in readers.items()}
    return {field: read(blob) for field, (blob, read) in found.items() if blob is not None}


def _pack_classification(output: Classification) -> bytes:
    return _fold({}, output.classes.astype("<i4", copy=False), output.scores.astype("<f4", copy=False))


def _classification(blob: bytes) -> Classification:
    _, (classes, scores) = _unfold(blob)
    return Classification(classes, scores)


def _pack_segmentation(output: Segmentation) -> bytes:
    maps = [each.labels if each.grid is None else each.grid for each in output.maps]
    head = [[each.head, list(each.names), *_size(each.labels)] for each in output.maps]
    return _fold({"maps": head}, *maps)


def _segmentation(blob: bytes) -> Segmentation:
    head, grids = _unfold(blob)
    maps = (
        LabelMap.of_grid(name, tuple(names), grid, _checked(width, height))
        for (name, names, width, height), grid in zip(head["maps"], grids, strict=True)
    )
    return Segmentation(tuple(maps))


def _pack_depth(output: Depth) -> bytes:
    grid = output.values if output.grid is None else output.grid
    # The four bytes of the numbers apart, so that exponents lie together: a third smaller.
    planes = np.ascontiguousarray(grid.astype("<f4", copy=False)).view(np.uint8).reshape(*grid.shape, 4)
    return _fold({"unit": output.unit, "size": _size(output.values)}, np.moveaxis(planes, -1, 0))


def _depth(blob: bytes) -> Depth:
    head, (planes,) = _unfold(blob)
    grid = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view("<f4")[..., 0]
    return Depth.of_grid(grid, DepthUnit(head["unit"]), _checked(*head["size"]))


def _pack_lines(lines: tuple[NDArray[np.float32], ...], scores: NDArray[np.float32] | None = None) -> bytes:
    points = np.concatenate(lines) if lines else np.empty((0, 2), np.float32)
    counts = np.array([len(line) for line in lines], "<i4")
    return _fold({}, counts, points.astype("<f4", copy=False), *(() if scores is None else (scores.astype("<f4"),)))


def _lines(counts: NDArray[Any], points: NDArray[Any]) -> tuple[NDArray[np.float32], ...]:
    if int(counts.sum()) != len(points):
        raise ValueError("a stored line has lost points")
    return tuple(np.split(points, np.cumsum(counts)[:-1])) if len(counts) else ()


def _lanes(blob: bytes) -> Lanes:
    _, (counts, points, scores) = _unfold(blob)
    return Lanes(_lines(counts, points), scores)


def _lane_truth(blob: bytes) -> LaneTruth:
    _, (counts, points) = _unfold(blob)
    return LaneTruth(_lines(counts, points))


def _mask_truth(blob: bytes) -> MaskTruth:
    head, (classes,) = _unfold(blob)
    return MaskTruth(classes, tuple(head["names"]), int(head["ignore"]))


def _depth_truth(blob: bytes) -> DepthTruth:
    _, (raw,) = _unfold(blob)
    return DepthTruth(raw)


def _class_truth(blob: bytes) -> ClassTruth:
    head, (classes,) = _unfold(blob)
    return ClassTruth(classes, tuple(head["names"]))


def _size(picture: NDArray[Any]) -> list[int]:
    height, width = picture.shape
    return [width, height]


def _checked(width: int, height: int) -> tuple[int, int]:
    if not (0 < width <= 2**15 and 0 < height <= 2**15):
        raise ValueError(f"a stored map covers {width} × {height} pixels")
    return width, height


def _fold(head: dict[str, Any], *arrays: NDArray[Any]) -> bytes:
    """Write a JSON head on one line, with type and shape of each array, then their bytes, all folded."""
    kinds = [[each.dtype.newbyteorder("<").str, list(each.shape)] for each in arrays]
    folding = zlib.compressobj(_QUICK)
    parts = [folding.compress(json.dumps({**head, "arrays": kinds}).encode() + b"\n")]
    parts.extend(folding.compress(each.tobytes()) for each in arrays)
    return b"".join((*parts, folding.flush()))


def _unfold(blob: bytes) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Read what `_fold` wrote; the arrays are read-only."""
    unfolding = zlib.decompressobj()
    try:
        content = unfolding.decompress(blob, _MAX_BYTES)
    except zlib.error as failure:
        raise ValueError(f"a stored answer is damaged: {failure}") from failure
    if not unfolding.eof:
        raise ValueError("a stored answer is cut off, or larger than any picture")
    start = content.index(b"\n") + 1
    head = json.loads(content[:start])
    found = []
    for kind, shape in head["arrays"]:
        if kind not in ("|u1", "<u1", "<u2", "<i4", "<f4") or not all(0 <= side <= 2**26 for side in shape):
            raise ValueError(f"a stored answer has an array of {kind} {shape}")
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(content, kind, count, start).reshape(shape)
        start += array.nbytes
        found.append(array)
    return head, found
