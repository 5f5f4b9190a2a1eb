"""The severity at which the first critical object is lost, searched for and not read off a grid.

The search halves the range between a severity at which every critical object is still found and one at which one is
lost. That answers the question only where damage grows with severity. So it is checked: some weaker severities are
tried afterwards, and where one of them loses an object already the search goes on below it; some harder ones are tried
too, and where nothing is lost there the answer says that it is not monotone. What lies between two probes stays unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hilgui.corruptions import MOST

Loss = TypeVar("Loss")

TOLERANCE = 0.05  # of the severity
_BELOW, _ABOVE = (0.25, 0.5, 0.75), (1 / 3, 2 / 3, 1.0)  # where it is checked, shares of the range
_ROUNDS = 4  # of searching again below


@dataclass(frozen=True, slots=True)
class Tipped(Generic[Loss]):
    """Where the search ended."""

    severity: float | None  # None: nothing was lost at any severity that was tried
    loss: Loss | None
    is_monotone: bool
    tried: dict[float, bool]  # severity → lost something


def search(lost: Callable[[float], Loss | None], tolerance: float = TOLERANCE) -> Tipped[Loss]:
    """Find the weakest severity in (0, 5] at which `lost` gives something, to within `tolerance`, and check it."""
    tried: dict[float, bool] = {0.0: False}
    losses: dict[float, Loss] = {}

    def is_lost(severity: float) -> bool:
        if severity not in tried:
            loss = lost(severity)
            tried[severity] = loss is not None
            if loss is not None:
                losses[severity] = loss
        return tried[severity]

    start = next((each for each in (MOST, 4.0, 3.0, 2.0, 1.0) if is_lost(each)), None)
    if start is None:
        return Tipped(None, None, True, tried)
    is_monotone = start == MOST
    high = start
    for _ in range(_ROUNDS):
        low = max(each for each, bad in tried.items() if each < high and not bad)
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (low, middle) if is_lost(middle) else (middle, high)
        earlier = next((share * low for share in _BELOW if share * low > tolerance and is_lost(share * low)), None)
        if earlier is None:
            break
        is_monotone, high = False, earlier
    if not all(is_lost(high + share * (MOST - high)) for share in _ABOVE):
        is_monotone = False
    return Tipped(high, losses[high], is_monotone and not _comes_back(tried), tried)


def _comes_back(tried: dict[float, bool]) -> bool:
    """Say whether something was lost at a weaker severity than one at which nothing was."""
    bad = [each for each, is_bad in tried.items() if is_bad]
    return any(each > min(bad) for each, is_bad in tried.items() if not is_bad) if bad else False
