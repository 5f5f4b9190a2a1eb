"""How much of its limit an invariant has used up, for a bar."""

from __future__ import annotations

import math

from hilgui.rigs.cage.invariant import Invariant, Operator

NEAR = 0.9  # from here on a bar warns


def used_up(invariant: Invariant, measured: float | None) -> float | None:
    """Give 0 (far away) to 1 (at the limit) and beyond; None where that makes no sense or nothing was measured."""
    if measured is None or math.isnan(measured):
        return None
    match invariant.operator:
        case Operator.LESS | Operator.AT_MOST if invariant.low > 0:
            return max(0.0, measured / invariant.low)
        case Operator.MORE | Operator.AT_LEAST if invariant.low > 0:
            return invariant.low / measured if measured > 0 else math.inf
        case Operator.INSIDE if invariant.high > invariant.low:
            half = (invariant.high - invariant.low) / 2
            if invariant.low == 0 and measured >= 0:  # 0 .. 100 %: the lower end is where it rests
                return measured / invariant.high
            return abs(measured - invariant.low - half) / half
    return None
