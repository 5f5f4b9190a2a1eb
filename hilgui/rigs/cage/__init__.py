"""The safety cage: a deterministic monitor apart from models and sequencer; the standard library and nothing else.

The structure of ASTM F3269-21: a monitor that watches, a switch that takes the command away, a recovery that is known
to be safe. Switch and recovery are the supervisor; here is the monitor. It reads no clock and touches no device.
"""

from hilgui.rigs.cage.invariant import Invariant, Measure, MinorRule, Severity, WhenUnknown, parse_invariant
from hilgui.rigs.cage.monitor import Cage, Margin, Violation

__all__ = [
    "Cage",
    "Invariant",
    "Margin",
    "Measure",
    "MinorRule",
    "Severity",
    "Violation",
    "WhenUnknown",
    "parse_invariant",
]
