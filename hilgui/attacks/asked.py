"""An attack as one piece of work for a process beside the screen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.attacks.benchmark import Tell
from hilgui.attacks.question import AttackQuestion
from hilgui.attacks.record import attack
from hilgui.robustness import results_root
from hilgui.settings import Settings


@dataclass(frozen=True, slots=True)
class AskedAttack:
    """A question, and where its answer is kept."""

    question: AttackQuestion
    settings: Settings

    def __call__(self, kept: dict[str, Any], tell: Tell) -> Path:
        """Attack, measure and store; gives the folder of the result. Raises HilguiError."""
        return attack(self.question, self.settings, results_root(self.settings.home), tell)[0]
