"""The odd one out: which of two disagreeing models is more likely at fault, judged without truth."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hilgui.cornercases.protocol import RunContext
from hilgui.records import Disagreement, Moment, Role

LASTING = 8  # frames after which an object that one model shows alone is taken for real
WINDOW = 60  # frames
LEAST = 5  # points against one
CLEARLY = 2.0  # times the points against the other

_Points = tuple[int, int]  # lasting objects that the model lacks, passing ones that it shows alone


@dataclass(slots=True)
class _Age:
    """How long a track was shown, and how often by its model alone."""

    frames: int = 0
    alone: int = 0


class OddOne:
    """Counts over the last frames what speaks against each model where the two differ.

    What one model shows alone and has shown for at least 8 frames counts against the other; what it showed for fewer
    and then no more counts against itself. In an unordered set nothing lasts, and nobody is named.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._ordered = context.period_s is not None
        self._ages: dict[Role, dict[int, _Age]] = {role: {} for role in context.thresholds}
        self._points: dict[Role, deque[_Points]] = {role: deque(maxlen=WINDOW) for role in context.thresholds}

    def note(self, moment: Moment, disagreement: Disagreement) -> None:
        """Take the next frame that both models saw."""
        if not self._ordered:
            return
        alone = {Role.BASELINE: disagreement.only_baseline, Role.CANDIDATE: disagreement.only_candidate}
        lasting: dict[Role, int] = {}
        passing: dict[Role, int] = {}
        following = self._context.following
        for role, present in following.at(moment).items():
            ages = self._ages[role]
            ended = [ages.pop(number) for number in following.ended(role) if number in ages]
            passing[role] = sum(age.alone for age in ended if age.frames < LASTING)
            lasting[role] = 0
            rows = set(alone[role].tolist())
            for number, sighting in present.items():
                age = ages.setdefault(number, _Age())
                age.frames += 1
                if sighting.row in rows:
                    age.alone += 1
                    lasting[role] += age.frames >= LASTING
        if len(lasting) == len(Role):
            self._points[Role.BASELINE].append((lasting[Role.CANDIDATE], passing[Role.BASELINE]))
            self._points[Role.CANDIDATE].append((lasting[Role.BASELINE], passing[Role.CANDIDATE]))

    def out(self) -> tuple[Role | None, str]:
        """Name the model with clearly more points against it, and say why; None where neither has."""
        totals = {role: sum(sum(points) for points in each) for role, each in self._points.items()}
        if len(totals) < len(Role):
            return None, ""
        odd = max(totals, key=lambda role: totals[role])
        other = Role.BASELINE if odd is Role.CANDIDATE else Role.CANDIDATE
        if totals[odd] < LEAST or totals[odd] < CLEARLY * totals[other]:
            return None, ""
        lacking = sum(lacks for lacks, _ in self._points[odd])
        invented = sum(passes for _, passes in self._points[odd])
        said = []
        if lacking:
            said.append(f"lacks objects that the {other} shows steadily ({lacking} × in the last {WINDOW} frames)")
        if invented:
            said.append(f"shows others for a moment only ({invented} ×)")
        return odd, f"the {odd} is the odd one out: it {' and '.join(said)}"
