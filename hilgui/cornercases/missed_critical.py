"""Missed critical object: a labelled object that matters now and that a model does not report."""

from __future__ import annotations

from typing import ClassVar

from hilgui.cornercases.missing import Missing
from hilgui.records import Kind


class MissedCritical(Missing):
    """Reports the frames of a miss on which the object is critical (see `evaluation.criticality`).

    The miss must have lasted `missed_object.frames` frames; the earlier ones, of when it was not critical yet, count.
    """

    kind: ClassVar[Kind] = Kind.MISSED_CRITICAL
    wants_critical: ClassVar[bool] = True
