"""The arming states as they are drawn: where each stands, and which moves lead from one to another."""

from __future__ import annotations

from dataclasses import dataclass

from hilgui.rigs.arming import State

PLACES: dict[State, tuple[int, int]] = {
    State.SHADOW: (0, 0),
    State.SAFE: (1, 0),
    State.ARMING: (2, 0),
    State.LATCHED: (0, 1),
    State.STOPPING: (1, 1),
    State.ARMED: (2, 1),
    State.HOLD: (3, 1),
}
"""Column and row of each state."""


@dataclass(frozen=True, slots=True)
class Move:
    """One arrow; `words` name who or what makes the rig take it."""

    start: State
    end: State
    words: str
    by_itself: bool = False  # nobody has to ask for it


MOVES: tuple[Move, ...] = (
    Move(State.SHADOW, State.SAFE, "select"),
    Move(State.SHADOW, State.LATCHED, "STOP"),
    Move(State.SAFE, State.SHADOW, "release"),
    Move(State.SAFE, State.ARMING, "arm"),
    Move(State.SAFE, State.STOPPING, "STOP"),
    Move(State.SAFE, State.LATCHED, "outputs not off", by_itself=True),
    Move(State.ARMING, State.ARMED, "confirm"),
    Move(State.ARMING, State.SAFE, "give up, 30 s"),
    Move(State.ARMING, State.STOPPING, "STOP"),
    Move(State.ARMED, State.HOLD, "hold"),
    Move(State.ARMED, State.SAFE, "disarm, 10 min idle"),
    Move(State.ARMED, State.STOPPING, "STOP, fault"),
    Move(State.HOLD, State.ARMED, "resume"),
    Move(State.HOLD, State.SAFE, "disarm"),
    Move(State.HOLD, State.STOPPING, "STOP, fault"),
    Move(State.STOPPING, State.LATCHED, "stopped", by_itself=True),
    Move(State.LATCHED, State.SAFE, "reset"),
)
"""A test walks the state machine and finds these and no others, but for the end of the front end."""


def moves_from(state: State) -> tuple[Move, ...]:
    """Give what is allowed from a state."""
    return tuple(move for move in MOVES if move.start is state)
