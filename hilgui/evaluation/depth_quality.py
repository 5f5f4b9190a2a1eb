"""Depth quality of one model: means over frames, as the benchmarks give them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.depth_errors import DepthErrors, DepthRule, depth_errors
from hilgui.evaluation.figure import Figure
from hilgui.records import Moment

_LOWER = ("abs_rel", "sq_rel", "rmse", "rmse_log", "silog")
_HIGHER = ("delta_1", "delta_2", "delta_3")


class DepthQuality:
    """Accumulates the depth maps of one model; see `Accumulator`. Cap, crop and scaling stand in the details."""

    def __init__(self, subject: Subject, rule: DepthRule | None = None) -> None:
        self._subject = subject
        self._rule = rule or DepthRule()
        self._errors: list[DepthErrors] = []
        self._words: set[str] = set()
        self._left_out = 0

    def start_drive(self, name: str) -> None:
        """Begin another drive; frames count alike."""

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
        self._errors.append(found)
        self._words.add(self._rule.words(said.unit))

    def figures(self) -> dict[str, Figure]:
        """Read the mean of each error over the frames."""
        if not self._errors:
            return {}
        count = len(self._errors)
        means = {name: float(np.mean([getattr(each, name) for each in self._errors])) for name in (*_LOWER, *_HIGHER)}
        lower = {name: Figure(means[name], count, "frames", "lower") for name in _LOWER}
        return lower | {name: Figure(means[name], count, "frames") for name in _HIGHER}

    def details(self) -> dict[str, Any]:
        """Give the rule and the pixels as `depth`."""
        if not self._errors and not self._left_out:
            return {}
        pixels = sum(each.pixels for each in self._errors)
        return {"depth": {"rule": sorted(self._words), "pixels": pixels, "frames_left_out": self._left_out}}
