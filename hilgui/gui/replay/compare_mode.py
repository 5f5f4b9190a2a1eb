"""How the two models are put beside each other on the picture, and which things each side shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from hilgui.gui.replay.overlay import LAYER_OF, Layer, State, Thing
from hilgui.records import Role


class CompareMode(Enum):
    """One picture with everything, two pictures, one picture with a curtain, or only where the models differ."""

    OVERLAY = auto()
    SIDE_BY_SIDE = auto()
    SWIPE = auto()
    DIFFERENCE = auto()

    @property
    def following(self) -> CompareMode:
        """Give the next mode, around the end."""
        modes = list(CompareMode)
        return modes[(modes.index(self) + 1) % len(modes)]


@dataclass(frozen=True, slots=True)
class Layers:
    """What the operator wants to see."""

    shown: frozenset[Layer] = frozenset(Layer)
    errors_only: bool = False

    def toggled(self, layer: Layer) -> Layers:
        """Show a layer that is hidden, hide one that is shown."""
        return replace(self, shown=self.shown ^ {layer})


def chosen(things: tuple[Thing, ...], layers: Layers) -> tuple[Thing, ...]:
    """Keep what the layers let through. Errors only: the missed truths count to the model that missed them."""
    return tuple(thing for thing in things if _is_chosen(thing, layers))


def side(things: tuple[Thing, ...], role: Role) -> tuple[Thing, ...]:
    """Keep truth and one model; a truth that only the other one missed is no error on this side."""
    hidden = LAYER_OF[Role.CANDIDATE if role is Role.BASELINE else Role.BASELINE]
    return tuple(_seen_by(thing, role) for thing in things if thing.layer is not hidden)


def differing(things: tuple[Thing, ...]) -> tuple[Thing, ...]:
    """Keep what only one of the two models says."""
    return tuple(thing for thing in things if not thing.agrees or len(thing.missed_by) == 1)


def _is_chosen(thing: Thing, layers: Layers) -> bool:
    if not layers.errors_only:
        return thing.layer in layers.shown
    if thing.state is State.MISSED:
        return any(LAYER_OF[role] in layers.shown for role in thing.missed_by)
    return thing.is_error and thing.layer in layers.shown


def _seen_by(thing: Thing, role: Role) -> Thing:
    if thing.state is not State.MISSED:
        return thing
    if role in thing.missed_by:
        return replace(thing, missed_by=(role,))
    return replace(thing, state=State.MATCHED, missed_by=())
