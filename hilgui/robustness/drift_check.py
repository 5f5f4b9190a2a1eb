"""A check for drift as one piece of work: for the command, and for the process beside the screen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.drift import read_reference
from hilgui.errors import CallWrong
from hilgui.robustness.drift_drives import Tell, target_of
from hilgui.robustness.drifting import Checked, check, store_check
from hilgui.robustness.shelf import results_root
from hilgui.settings import Settings

RATE = 0.05  # chance of any alarm where nothing drifted


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """What is compared with which reference; `model` and `has_features` belong to a recording alone."""

    target: str  # a run (folder, id, "last") or a recording
    reference: Path
    settings: Settings
    model: Path | None = None
    has_features: bool = False
    rate: float = RATE
    window: int | None = None  # frames
    fps: float | None = None  # of a folder of images
    command: tuple[str, ...] = ()

    def __call__(self, kept: dict[str, Any], tell: Tell) -> Path:
        """Check and store; gives the folder of the result. Raises HilguiError."""
        return self.run(tell)[1]

    def run(self, tell: Tell) -> tuple[Checked, Path]:
        """Check and store; gives what was found and its folder. Raises HilguiError."""
        known = read_reference(self.reference)
        how = (self.settings.runs, self.model, self.settings.provider, self.fps)
        found = target_of(self.target, *how, has_features=self.has_features)
        if self.has_features and not found.is_run and self.model is None:
            raise CallWrong("--features of a recording are those of a model; name it with --model")
        if self.has_features and known.features is None:
            raise CallWrong(f"{self.reference} holds no features; make one with `hilgui drift reference … --features`")
        if found.is_run and self.model is not None:
            raise CallWrong("a run has its own outputs; --model belongs to a recording")
        checked = check(found, known, rate=self.rate, window=self.window, tell=tell)
        root = results_root(self.settings.home)
        return checked, store_check(checked, self.reference, found, root, self.command)
