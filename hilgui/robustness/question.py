"""What is asked of a suite of corruptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from hilgui.corruptions import BENCH, COMMON, CORRUPTIONS, LEAST, MOST, STREAM
from hilgui.errors import CallWrong
from hilgui.pipeline import RunPlan

SEVERITIES = (1.0, 2.0, 3.0, 4.0, 5.0)
FRAMES = 100
MEASURES = {"map_50_95": "AP .50:.95", "map_50": "AP .50"}

SUITES = {
    "corruptions": tuple(COMMON),
    "bench": (*BENCH, *STREAM),
    "all": (*COMMON, *BENCH, *STREAM),
}
"""The fifteen of Hendrycks & Dietterich, of which mPC is defined; what a bench and a road add; both."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which models, on which labelled frames, under what; travels between processes."""

    plans: tuple[RunPlan, ...]  # one a drive, all with the same models
    corruptions: tuple[str, ...]
    severities: tuple[float, ...] = SEVERITIES
    seed: int = 0
    frames: int = FRAMES  # at most so many of each drive, evenly spread
    measure: str = "map_50_95"
    is_searched: bool = True  # for the severity at which the first critical object is lost
    command: tuple[str, ...] = ()
    depth: Path | None = None  # maps of the one drive, for depth_fog

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the severities."""
        return tuple(f"{severity:g}" for severity in self.severities)


def chosen(suite: str, names: Sequence[str]) -> tuple[str, ...]:
    """Give the corruptions of a suite, or those that are named; raises CallWrong."""
    known = SUITES["all"]
    if not names:
        if suite not in SUITES:
            raise CallWrong(f"there is no suite {suite!r}; there are {', '.join(SUITES)}")
        return SUITES[suite]
    found = [name.strip().replace("-", "_") for text in names for name in text.split(",") if name.strip()]
    for name in found:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise CallWrong(f"there is no corruption {name!r}; {hint}")
    return tuple(dict.fromkeys(found))


def severities(texts: Sequence[str]) -> tuple[float, ...]:
    """Read "1,3,5", any numbers above 0 up to 5; none stands for 1 to 5. Raises CallWrong."""
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    found: list[float] = []
    for word in words:
        try:
            severity = float(word)
        except ValueError:
            severity = float("nan")
        if not LEAST < severity <= MOST:
            raise CallWrong(f"{word!r} is not a severity: a number above {LEAST:g} up to {MOST:g}, such as 3 or 2.5")
        found.append(severity)
    return tuple(sorted(set(found))) or SEVERITIES


def family_of(name: str) -> str:
    """Give the family of a corruption."""
    return CORRUPTIONS[name].family if name in CORRUPTIONS else "stream"
