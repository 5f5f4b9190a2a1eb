"""The mechanics behind a simulated Grbl: axes that accelerate, switches at their ends, a screw that can jam."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

_STEP_S = 0.002
_SWITCH = 0.5  # beyond the travel, in units of the axis


@dataclass(slots=True)
class Move:
    """One straight line in the planner; a jog is thrown away by a hold."""

    target: tuple[float, ...]
    rate: float  # unit/s along the line
    is_jog: bool


@dataclass(slots=True)
class Stage:
    """Positions that the controller believes, and those that are so.

    Every line ends at rest: the real planner looks ahead and may pass a corner faster.
    """

    low: list[float]
    high: list[float]
    acceleration: float
    position: list[float]
    real: list[float]
    speed: float = 0.0
    moves: deque[Move] = field(default_factory=deque)
    is_holding: bool = False
    jammed: set[int] = field(default_factory=set)

    @property
    def is_moving(self) -> bool:
        """Say whether steps are made."""
        return self.speed > 0 or (bool(self.moves) and not self.is_holding)

    @property
    def at_switch(self) -> tuple[bool, ...]:
        """Say which axes press one of their switches."""
        ends = zip(self.real, self.low, self.high, strict=True)
        return tuple(real <= low - _SWITCH or real >= high + _SWITCH for real, low, high in ends)

    def advance(self, duration_s: float) -> None:
        """Let time pass."""
        while duration_s > 0:
            self._step(min(duration_s, _STEP_S))
            duration_s -= _STEP_S

    def freeze(self) -> None:
        """Make no further step, as a reset does."""
        self.moves.clear()
        self.speed = 0.0
        self.is_holding = False

    def _step(self, duration_s: float) -> None:
        if not self.moves:
            self.speed = 0.0
            return
        move = self.moves[0]
        way = [target - now for target, now in zip(move.target, self.position, strict=True)]
        left = math.sqrt(sum(part * part for part in way))
        allowed = 0.0 if self.is_holding else min(move.rate, math.sqrt(2 * self.acceleration * left))
        change = self.acceleration * duration_s
        self.speed = min(max(allowed, self.speed - change), self.speed + change)
        done = min(1.0, self.speed * duration_s / left) if left > 1e-6 else 1.0
        for axis, part in enumerate(way):
            self.position[axis] += part * done
            if axis not in self.jammed:
                self.real[axis] += part * done
        if done == 1.0 and not (self.is_holding and left > 1e-6):
            self.moves.popleft()
            if not self.moves:
                self.speed = 0.0
