"""Missed object: a labelled object that a model does not report for several frames."""

from __future__ import annotations

from typing import ClassVar

from hilgui.cornercases.missing import Missing
from hilgui.records import Kind


class MissedObject(Missing):
    """Reports a judged truth that is tall and visible enough and stays without a match for `frames` frames.

    Frames on which it is critical are those of `MissedCritical`; the two grow together into one finding.
    """

    kind: ClassVar[Kind] = Kind.MISSED_OBJECT
    wants_critical: ClassVar[bool] = False
