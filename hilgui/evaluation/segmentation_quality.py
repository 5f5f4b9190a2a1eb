"""Segmentation quality of one model: a confusion matrix for each of its heads, and the pixels of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.clusters import Clusters, clusters_of
from hilgui.evaluation.confusion import PixelConfusion
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.intervals import resampled
from hilgui.evaluation.row_log import RowLog
from hilgui.records import Moment

Floats = NDArray[np.float64]

_WHOLE = ("miou", "pixel_accuracy", "frequency_weighted_iou")


@dataclass(frozen=True, slots=True, eq=False)
class _Pixels:
    """One row for each judged frame of a head."""

    frames: NDArray[np.int64]  # (N,)
    sums: NDArray[np.int64]  # (3, classes, N) pixels that agree, said, labelled
    whole: NDArray[np.int64]  # (N,) judged pixels

    @classmethod
    def joined(cls, parts: Sequence[_Pixels]) -> _Pixels:
        """Put blocks one after the other."""
        if not parts:
            return cls(np.empty(0, np.int64), np.empty((3, 0, 0), np.int64), np.empty(0, np.int64))
        return cls(
            np.concatenate([part.frames for part in parts]),
            np.concatenate([part.sums for part in parts], axis=-1),
            np.concatenate([part.whole for part in parts]),
        )


class SegmentationQuality:
    """Accumulates the label maps of one model; see `Accumulator`.

    `miou`, `pixel_accuracy`, `frequency_weighted_iou` and `iou.CLASS`; with several heads each carries the head's name
    before (`da.iou.road`).
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._heads: dict[str, PixelConfusion] = {}
        self._rows: dict[str, RowLog[_Pixels]] = {}
        self.book = FrameBook(subject.scratch)

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.mask_truth
        if inference is None or inference.segmentation is None or truth is None:
            return
        frame = self.book.add(moment.ref)
        for each in inference.segmentation.maps:
            if each.head not in self._heads:
                self._heads[each.head] = PixelConfusion(each.names, truth.names)
                self._rows[each.head] = RowLog(_Pixels, self._subject.scratch)
            head = self._heads[each.head]
            counts = head.add(each.labels, truth.classes, truth.ignore)
            sums, whole = head.sums(counts)[:, :, None], np.array([counts.sum()], np.int64)
            self._rows[each.head].add(_Pixels(np.array([frame], np.int64), sums, whole))

    @property
    def has_common_class(self) -> bool:
        """Say whether some head has a class that the labels have; so it is before the first frame."""
        return not self._heads or any(head.judged for head in self._heads.values())

    def figures(self) -> dict[str, Figure]:
        """Read the figures of every head."""
        figures = {}
        for head, confusion in self._heads.items():
            before = self._before(head)
            read = confusion.figures()
            figures[f"{before}miou"] = Figure(read.mean_iou, read.pixels, "pixels")
            figures[f"{before}pixel_accuracy"] = Figure(read.pixel_accuracy, read.pixels, "pixels")
            figures[f"{before}frequency_weighted_iou"] = Figure(read.frequency_weighted_iou, read.pixels, "pixels")
            for name, value in read.iou.items():
                figures[f"{before}iou.{name}"] = Figure(value, read.class_pixels[name], "pixels")
            for name, (value, count) in confusion.with_parts().items():
                figures[f"{before}iou.{name}"] = Figure(value, count, "pixels")
        return figures

    def with_intervals(self) -> dict[str, Figure]:
        """Read all figures with their interval, or the reason why there is none."""
        figures, clusters = self.figures(), clusters_of(self.book)

        def read(draws: NDArray[np.int64]) -> dict[str, Floats]:
            return {
                f"{self._before(head)}{name}": row
                for head in self._heads
                for name, row in self._values(head, clusters, draws).items()
            }

        return resampled(figures, clusters, read)

    def behind(self, figure: str) -> tuple[NDArray[np.int64], Floats] | None:
        """Give frames of the book and their wrong pixels, None for a figure of others.

        `iou.CLASS` leads to the pixels of that class that were missed or said where there are none.
        """
        for head, confusion in self._heads.items():
            before = self._before(head)
            if not figure.startswith(before):
                continue
            name = figure[len(before) :]
            rows = self._rows[head].joined()
            hits, said, labelled = rows.sums
            if name in _WHOLE:
                return rows.frames, (rows.whole - hits[: confusion.judged].sum(axis=0)).astype(np.float64)
            names = [f"iou.{each}" for each in confusion.names_of_sums]
            if name in names:
                place = names.index(name)
                return rows.frames, (said[place] + labelled[place] - 2 * hits[place]).astype(np.float64)
        return None

    def details(self) -> dict[str, Any]:
        """Give the confusion matrix of each head (said, labelled) as `pixel_confusion`."""
        heads = {
            head: {"classes": list(each.names), "counts": each.counts.tolist()} for head, each in self._heads.items()
        }
        return {"pixel_confusion": heads, "labelled_frames": len(self.book.frames)} if heads else {}

    def _before(self, head: str) -> str:
        return f"{head}." if len(self._heads) > 1 else ""

    def _values(self, head: str, clusters: Clusters, draws: NDArray[np.int64]) -> dict[str, Floats]:
        """Give every figure of a head for every draw."""
        rows, confusion = self._rows[head].joined(), self._heads[head]
        sums = np.zeros((3, rows.sums.shape[1], len(clusters)))
        for kind, place in np.ndindex(sums.shape[:2]):
            sums[kind, place] = clusters.sums(rows.frames, rows.sums[kind, place].astype(np.float64))
        hits, said, labelled = np.moveaxis(sums @ draws.T, 2, 1)  # (resamples, classes) each
        whole, judged = draws @ clusters.sums(rows.frames, rows.whole.astype(np.float64)), confusion.judged
        with np.errstate(divide="ignore", invalid="ignore"):
            iou = hits / (said + labelled - hits)
            known = ~np.isnan(iou[:, :judged])
            filled = np.where(known, iou[:, :judged], 0.0)
            values = {
                "miou": filled.sum(axis=1) / known.sum(axis=1),
                "pixel_accuracy": hits[:, :judged].sum(axis=1) / whole,
                "frequency_weighted_iou": (filled * labelled[:, :judged]).sum(axis=1) / whole,
            }
        return values | {f"iou.{name}": iou[:, place] for place, name in enumerate(confusion.names_of_sums)}
