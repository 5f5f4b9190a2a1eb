"""The frames behind a figure: where its errors lie, so that every number leads to pictures."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.evaluation.accumulator import FrameBook
from hilgui.evaluation.average_precision import COCO_FIGURES
from hilgui.evaluation.detection_quality import RATES, DetectionQuality
from hilgui.evaluation.error_split import ERRORS
from hilgui.evaluation.operating_point import BACKGROUND

EXPLAINED = frozenset((*COCO_FIGURES, *RATES, "best_f1", "tide", "confusion", "calibration_error", "truths"))
"""Figures of detection that lead to frames, without what stands behind the first point of their names."""

_Found = tuple[NDArray[np.integer], NDArray[np.floating] | None]  # frame of each contribution, and its size if not 1


@dataclass(frozen=True, slots=True)
class Behind:
    """One frame behind a figure."""

    drive: str
    seq: int
    key: str
    time_s: float  # NaN in an unordered set
    contribution: float  # how many errors it has; for calibration how far scores are off, summed

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        time_s = None if np.isnan(self.time_s) else self.time_s
        return {
            "drive": self.drive,
            "seq": self.seq,
            "key": self.key,
            "time_s": time_s,
            "contribution": self.contribution,
        }


def frames_behind(quality: DetectionQuality, figure: str) -> list[Behind]:
    """Give the frames that make a figure worse, the worst first; raises CallWrong for a name that there is not.

    `recall[.CLASS]` and `ar_…` lead to misses, `precision[.CLASS]` to phantoms, `f1[.CLASS]` to both (at the operating
    point); `map_…[.CLASS]` to errors at IoU .5 whatever the score; `tide.ERROR` to errors of that kind;
    `confusion.THERE.SHOWN` to pairs, with `background` where there is no truth or no detection;
    `calibration_error` to detections whose score lies; `truths[.CLASS]` to the labels that count.
    """
    return listed(quality.book, _contributions(quality, figure))


def listed(book: FrameBook, found: _Found) -> list[Behind]:
    """List frames once each by what they contribute, the worst first."""
    frames, sizes = found
    sums = np.bincount(frames.astype(np.int64), sizes, len(book.frames))
    order = np.lexsort((np.arange(len(sums)), -sums))
    return [
        Behind(book.drives[seen.drive], seen.seq, seen.key, seen.time_s, float(sums[place]))
        for place in order.tolist()
        if sums[place] > 0 and (seen := book.frames[place])
    ]


def _contributions(quality: DetectionQuality, figure: str) -> _Found:
    head, _, rest = figure.partition(".")
    if head in RATES:
        return _at_operating_point(quality, head, rest)
    if head in COCO_FIGURES or head == "best_f1":
        return _over_all_scores(quality, rest, only_missed=head.startswith("ar_"))
    if head == "tide" and rest in ERRORS:
        return _of_error(quality, rest)
    if head == "confusion":
        return _of_confusion(quality, rest)
    if head == "calibration_error":
        return _of_calibration(quality)
    if head == "truths":
        return _labelled(quality, rest)
    known = [
        *COCO_FIGURES,
        *RATES,
        "calibration_error",
        "truths",
        *(f"tide.{error}" for error in ERRORS),
        "confusion.THERE.SHOWN",
    ]
    near = difflib.get_close_matches(figure, known, n=3, cutoff=0.4) or known
    raise CallWrong(f"no frames can be shown for a figure {figure!r}; try {', '.join(near)}")


def _at_operating_point(quality: DetectionQuality, rate: str, label: str) -> _Found:
    mine = quality.outcomes()
    wanted = _number(quality, label) if label else None
    missed = ~mine.found & (mine.there != BACKGROUND) & _is(mine.there, wanted)
    phantom = ~mine.found & (mine.shown != BACKGROUND) & _is(mine.shown, wanted)
    if rate == "recall":
        return mine.frames[missed], None
    if rate == "precision":
        return mine.frames[phantom], None
    return np.concatenate((mine.frames[missed], mine.frames[phantom])), None


def _over_all_scores(quality: DetectionQuality, label: str, *, only_missed: bool) -> _Found:
    rows, truths = quality.precision.rows()
    column = _column(quality, label)
    missed = truths.counted[0] & ((truths.hits[0] & 1) == 0) & _is(truths.columns, column)
    wrong = (((rows.hits[0] | rows.ignored[0]) & 1) == 0) & _is(rows.columns, column)
    if only_missed:
        return truths.frames[missed], None
    # A false positive lowers precision by its score's place; a miss costs a whole truth.
    frames = np.concatenate((truths.frames[missed], rows.frames[wrong]))
    return frames, np.concatenate((np.ones(int(missed.sum())), rows.scores[wrong].astype(np.float64)))


def _labelled(quality: DetectionQuality, label: str) -> _Found:
    _, truths = quality.precision.rows()
    return truths.frames[truths.counted[0] & _is(truths.columns, _column(quality, label))], None


def _of_error(quality: DetectionQuality, error: str) -> _Found:
    rows, truths = quality.precision.rows()
    split, kind = quality.errors(), ERRORS.index(error)
    if error == "missed":
        return truths.frames[split.truths == kind], None
    return rows.frames[split.detections == kind], None


def _of_confusion(quality: DetectionQuality, pair: str) -> _Found:
    names = [quality.subject.vocabulary.name(number) for number in quality.subject.judged]
    for there in (*names, "background"):
        if pair.casefold().startswith(f"{there}.".casefold()):
            shown = pair[len(there) + 1 :]
            mine = quality.outcomes()
            mask = (mine.there == _number(quality, there)) & (mine.shown == _number(quality, shown))
            return mine.frames[mask], None
    raise CallWrong(
        f"confusion.{pair} names no class that is judged; write confusion.{names[0] if names else 'car'}.background"
    )


def _of_calibration(quality: DetectionQuality) -> _Found:
    rows = quality.precision.scored().rows
    shown = rows.scores >= np.float32(quality.subject.threshold)
    return rows.frames[shown], np.abs(rows.scores[shown] - rows.right[shown]).astype(np.float64)


def _is(values: NDArray[np.int32], wanted: int | None) -> NDArray[np.bool_]:
    return np.ones(len(values), np.bool_) if wanted is None else values == wanted


def _column(quality: DetectionQuality, label: str) -> int | None:
    return quality.subject.judged.index(_number(quality, label)) if label else None


def _number(quality: DetectionQuality, name: str) -> int:
    """Give the class number of a name, BACKGROUND for "background"; raises CallWrong."""
    if name == "background":
        return BACKGROUND
    known = {quality.subject.vocabulary.name(number).casefold(): number for number in quality.subject.judged}
    if name.casefold() not in known:
        near = difflib.get_close_matches(name.casefold(), list(known), cutoff=0.5) or sorted(known)[:10]
        raise CallWrong(f"the class {name!r} is not judged; try {', '.join(near)}")
    return known[name.casefold()]
