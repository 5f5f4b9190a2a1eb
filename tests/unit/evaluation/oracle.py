"""pycocotools on the same frames: the figures that ours must equal."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hilgui.records import Detections, Truth


@dataclass(frozen=True)
class OracleFigures:
    overall: tuple[float | None, float | None, float | None]
    per_class: dict[int, tuple[float | None, float | None, float | None]]
    twelve: tuple[float | None, ...]
    twelve_of: dict[int, tuple[float | None, ...]]  # each class


class _Honouring(COCOeval):
    """pycocotools, with the field `ignore` honoured where the reference overwrites it."""

    def _prepare(self) -> None:
        super()._prepare()
        for truths in self._gts.values():
            for truth in truths:
                truth["ignore"] = truth["ignore"] or truth["hard"]


def pycocotools(frames: Sequence[tuple[Detections, Truth]], judged: Sequence[int]) -> OracleFigures:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": number} for number in range(1, len(frames) + 1)],
            "categories": [{"id": number + 1, "name": str(number)} for number in judged],
            "annotations": _annotations(frames),
        }
        truth.createIndex()
        evaluation = _Honouring(truth, _results(truth, frames), "bbox")
        evaluation.params.catIds = [number + 1 for number in sorted(judged)]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    twelve = tuple(None if value < 0 else float(value) for value in evaluation.stats)
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    return OracleFigures(
        _figures(precision),
        {number: _figures(precision[:, :, k]) for k, number in enumerate(sorted(judged))},
        twelve,
        {number: _twelve(evaluation.eval, k) for k, number in enumerate(sorted(judged))},
    )


def _twelve(read: dict[str, np.ndarray], column: int) -> tuple[float | None, ...]:
    precision, recall = read["precision"][:, :, column], read["recall"][:, column]
    return (
        *_figures(precision[:, :, 0, -1]),
        *(_mean(precision[:, :, area, -1]) for area in (1, 2, 3)),
        *(_mean(recall[:, 0, most]) for most in range(3)),
        *(_mean(recall[:, area, -1]) for area in (1, 2, 3)),
    )


def _annotations(frames: Sequence[tuple[Detections, Truth]]) -> list[dict[str, Any]]:
    annotations: list[dict[str, Any]] = []
    for image, (_, truth) in enumerate(frames, start=1):
        for row in range(len(truth)):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(truth.classes[row]) + 1,
                    "bbox": _xywh(truth.boxes[row]),
                    "area": float(truth.areas[row]),
                    "iscrowd": int(truth.crowd[row]),
                    "hard": bool(truth.ignore[row]),
                }
            )
    return annotations


def _results(truth: COCO, frames: Sequence[tuple[Detections, Truth]]) -> COCO:
    rows = [
        {
            "image_id": image,
            "category_id": int(detections.classes[row]) + 1,
            "bbox": _xywh(detections.boxes[row].astype(np.float64)),
            "score": float(detections.scores[row]),
        }
        for image, (detections, _) in enumerate(frames, start=1)
        for row in range(len(detections))
    ]
    if rows:
        return truth.loadRes(rows)
    empty = COCO()
    empty.dataset = {"images": truth.dataset["images"], "categories": truth.dataset["categories"], "annotations": []}
    empty.createIndex()
    return empty


def _xywh(box: np.ndarray) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def _figures(precision: np.ndarray) -> tuple[float | None, float | None, float | None]:
    return _mean(precision), _mean(precision[0]), _mean(precision[5])


def _mean(values: np.ndarray) -> float | None:
    known = values[values > -1]
    return float(np.mean(known)) if known.size else None
