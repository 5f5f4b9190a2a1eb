"""Limits as people write them ("<= 33.3"): parsed by a small grammar, never evaluated."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_LIMIT = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*")


@dataclass(frozen=True, slots=True)
class Limit:
    """A comparison with a number."""

    operator: str
    value: float

    def holds(self, measured: float) -> bool:
        """Say whether a value keeps the limit; what is not a number never does."""
        return not math.isnan(measured) and _OPERATORS[self.operator](measured, self.value)

    def __str__(self) -> str:
        """Write it as it is typed."""
        return f"{self.operator} {self.value:g}"


def parse_limit(text: str) -> Limit:
    """Read a limit; raises ValueError with an example."""
    found = _LIMIT.fullmatch(text)
    if found is None or not math.isfinite(float(found[2])):
        raise ValueError(f"{text!r} is not a limit such as '<= 33.3' or '== 0'")
    return Limit(found[1], float(found[2]))
