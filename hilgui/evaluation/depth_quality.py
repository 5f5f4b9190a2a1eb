"""Depth quality of one model: means over frames, as the benchmarks give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.depth_errors import DepthRule, depth_errors
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.frame_values import FrameValues
from hilgui.records import Moment

_LOWER = ("abs_rel", "sq_rel", "rmse", "rmse_log", "silog")
_HIGHER = ("delta_1", "delta_2", "delta_3")


class DepthQuality:
    """Accumulates the depth maps of one model; see `Accumulator`. Cap, crop and scaling stand in the details."""

    def __init__(self, subject: Subject, rule: DepthRule | None = None) -> None:
        self._subject = subject
        self._rule = rule or DepthRule()
        self._values = FrameValues((*_LOWER, *_HIGHER, "pixels"), subject.scratch)
        self._words: set[str] = set()
        self._left_out = 0

    @property
    def book(self) -> FrameBook:
        """Give the judged frames."""
        return self._values.book

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.depth_truth
        if inference is None or inference.depth is None or truth is None:
            return
        said = inference.depth
        known = truth.metres
        found = depth_errors(said.values, known, said.unit, self._rule) if said.values.shape == known.shape else None
        if found is None:
            self._left_out += 1
            return
        self._values.add(moment.ref, [getattr(found, name) for name in self._values.names])
        self._words.add(self._rule.words(said.unit))

    def figures(self) -> dict[str, Figure]:
        """Read the mean of each error over the frames."""
        count = len(self._values)
        if not count:
            return {}
        means = {name: float(np.mean(self._values.of(name))) for name in (*_LOWER, *_HIGHER)}
        lower = {name: Figure(means[name], count, "frames", "lower") for name in _LOWER}
        return lower | {name: Figure(means[name], count, "frames") for name in _HIGHER}

    def with_intervals(self) -> dict[str, Figure]:
        """Read all figures with their interval, or the reason why there is none."""
        figures = self.figures()
        return self._values.with_intervals(figures, {name: self._values.mean(name) for name in figures})

    def behind(self, figure: str) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Give frames of the book and their error, None for a figure of others."""
        if figure not in (*_LOWER, *_HIGHER):
            return None
        sizes = self._values.of(figure)
        return np.arange(len(self._values)), sizes if figure in _LOWER else 1.0 - sizes

    def details(self) -> dict[str, Any]:
        """Give the rule and the pixels as `depth`."""
        if not len(self._values) and not self._left_out:
            return {}
        pixels = int(self._values.of("pixels").sum())
        return {"depth": {"rule": sorted(self._words), "pixels": pixels, "frames_left_out": self._left_out}}
