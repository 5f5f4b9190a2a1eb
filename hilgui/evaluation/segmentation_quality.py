"""Segmentation quality of one model: a confusion matrix for each of its heads."""

from __future__ import annotations

from typing import Any

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.confusion import PixelConfusion
from hilgui.evaluation.figure import Figure
from hilgui.records import Moment


class SegmentationQuality:
    """Accumulates the label maps of one model; see `Accumulator`.

    `miou`, `pixel_accuracy`, `frequency_weighted_iou` and `iou.CLASS`; with several heads each carries the head's name
    before (`da.iou.road`).
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._heads: dict[str, PixelConfusion] = {}
        self._frames = 0

    def start_drive(self, name: str) -> None:
        """Begin another drive; pixels know no drives."""

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.mask_truth
        if inference is None or inference.segmentation is None or truth is None:
            return
        self._frames += 1
        for each in inference.segmentation.maps:
            if each.head not in self._heads:
                self._heads[each.head] = PixelConfusion(each.names, truth.names)
            self._heads[each.head].add(each.labels, truth.classes, truth.ignore)

    def figures(self) -> dict[str, Figure]:
        """Read the figures of every head."""
        figures = {}
        for head, confusion in self._heads.items():
            before = f"{head}." if len(self._heads) > 1 else ""
            read = confusion.figures()
            figures[f"{before}miou"] = Figure(read.mean_iou, read.pixels, "pixels")
            figures[f"{before}pixel_accuracy"] = Figure(read.pixel_accuracy, read.pixels, "pixels")
            figures[f"{before}frequency_weighted_iou"] = Figure(read.frequency_weighted_iou, read.pixels, "pixels")
            for name, value in read.iou.items():
                figures[f"{before}iou.{name}"] = Figure(value, read.class_pixels[name], "pixels")
            for name, (value, count) in confusion.with_parts().items():
                figures[f"{before}iou.{name}"] = Figure(value, count, "pixels")
        return figures

    def details(self) -> dict[str, Any]:
        """Give the confusion matrix of each head (said, labelled) as `pixel_confusion`."""
        heads = {
            head: {"classes": list(each.names), "counts": each.counts.tolist()} for head, each in self._heads.items()
        }
        return {"pixel_confusion": heads, "labelled_frames": self._frames} if heads else {}
