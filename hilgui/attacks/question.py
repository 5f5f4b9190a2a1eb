"""What is asked of an attack, and what its methods may say about each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hilgui.attacks.aims import Goal
from hilgui.attacks.measure import Damage
from hilgui.robustness import Check

CLEAN, NOISE, FGSM, PGD, SQUARE = "clean", "noise", "fgsm", "pgd", "square"
NAMES = {CLEAN: "clean", NOISE: "random noise", FGSM: "FGSM", PGD: "PGD", SQUARE: "Square"}
FATES = {Goal.HIDE: "lost", Goal.CREATE: "created", Goal.CHANGE: "taken for something else"}
WHITE_BOX = (FGSM, PGD)


@dataclass(frozen=True, slots=True)
class AttackQuestion:
    """Which model, which pictures, which attack; `method` is the one whose pictures are kept and defended."""

    model: Path
    source: Path
    method: str = FGSM
    truth: str | None = None  # labels; None: those beside the source; "self": the model's own clean answers
    epsilon: float = 0.03
    count: int = 100
    steps: int = 10  # of PGD
    queries: int = 500  # of Square, per picture
    goal: Goal = Goal.HIDE
    class_name: str = ""
    seed: int = 0
    is_defended: bool = False
    baseline: Path | None = None  # for the ensemble
    sigma: float = 0.25  # of randomised smoothing
    certified: int = 10  # pictures that are certified
    classes: tuple[str, ...] = ()
    class_map: str | None = None
    command: tuple[str, ...] = field(default=())

    @property
    def methods(self) -> tuple[str, ...]:
        """Name what is measured: noise always, FGSM and PGD together, as each is the other's control."""
        return {NOISE: (NOISE,), SQUARE: (NOISE, SQUARE)}.get(self.method, (NOISE, FGSM, PGD))


def self_check(damages: Mapping[str, Damage], goal: Goal) -> tuple[Check, ...]:
    """Say whether the attacks were strong enough to mean something: noise < FGSM ≤ PGD in damage, noise < Square.

    A model that seems to stand an attack may only have met a weak one (Carlini et al., 2019).
    """
    checks = []
    for weaker, stronger, strictly in ((NOISE, FGSM, True), (FGSM, PGD, False), (NOISE, SQUARE, True)):
        if weaker not in damages or stronger not in damages:
            continue
        name = f"{NAMES[weaker]} hurts {'less' if strictly else 'no more'} than {NAMES[stronger]}"
        one, two = (harm(damages[each], goal) for each in (weaker, stronger))
        if one is None or two is None or not damages[stronger].at_stake:
            checks.append(Check(name, None, "cannot be told, nothing was at stake"))
            continue
        is_good = one < two if strictly else one <= two
        figures = f"damage {one:.3f} against {two:.3f}"
        words = figures if is_good else f"{figures}: the attack was too weak to prove anything; take more steps"
        checks.append(Check(name, is_good, f"{'yes' if is_good else 'NO'}, {words}"))
    return tuple(checks)


def harm(damage: Damage, goal: Goal) -> float | None:
    """Give the damage, larger is worse for the model: lost AP or accuracy, or what was created or changed."""
    if goal is Goal.HIDE and damage.value is not None:
        return 1.0 - damage.value
    return damage.success
