"""Wires sources, inference, evaluation, corner cases and store into one run."""

from hilgui.pipeline.plan import RunPlan, speed_factor
from hilgui.pipeline.preparation import Prepared, prepare
from hilgui.pipeline.progress import Progress
from hilgui.pipeline.run import Run, Watchers

__all__ = ["Prepared", "Progress", "Run", "RunPlan", "Watchers", "prepare", "speed_factor"]
