"""The gate: from paired runs of many drives to one decision."""

from hilgui.gate.decision import decide
from hilgui.gate.paired import Evidence, Measure, Paired, SlicePair
from hilgui.gate.specification import GateSpec, read_specification

__all__ = ["Evidence", "GateSpec", "Measure", "Paired", "SlicePair", "decide", "read_specification"]
