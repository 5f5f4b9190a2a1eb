"""The gate: from paired runs of many drives to one decision."""

from hilgui.gate.decision import decide
from hilgui.gate.gathering import gather
from hilgui.gate.paired import Evidence, Paired, SlicePair
from hilgui.gate.specification import GateSpec, read_specification

__all__ = ["Evidence", "GateSpec", "Paired", "SlicePair", "decide", "gather", "read_specification"]
