"""What is checked for drift: a run or a recording, against a reference."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QWidget

from hilgui.gui.path_field import PathField
from hilgui.gui.robustness.ask_dialog import MODELS, AskDialog, Opened
from hilgui.gui.theme import Theme
from hilgui.gui.typed_path import is_file, typed_path
from hilgui.robustness import DRIFT
from hilgui.robustness.drift_check import DriftCheck
from hilgui.settings import Settings
from hilgui.store.folder import DATABASE


@dataclass(frozen=True, slots=True)
class DriftWish:
    """What stands in the dialog."""

    kind: ClassVar[str] = DRIFT
    target: str = ""
    reference: str = ""
    model: str = ""
    has_features: bool = False
    fps: float | None = None

    @property
    def command(self) -> str:
        """Give the command that checks the same."""
        words = ["hilgui", "drift", "check", self.target or "RUN", "--reference", self.reference or "REF"]
        words += ["--model", self.model] if self.model else []
        words += ["--features"] if self.has_features else []
        words += ["--fps", f"{self.fps:g}"] if self.fps else []
        return shlex.join(words)

    def beside(self, opened: Opened) -> DriftWish:
        """Propose the open run: what its models said is stored."""
        return replace(self, target=str(opened.folder), model="", has_features=False, fps=None)

    def work(self, settings: Settings, root: Path) -> DriftCheck:
        """Turn it into work."""
        path = typed_path(self.target)
        return DriftCheck(
            target=str(path) if path.exists() else self.target,
            reference=typed_path(self.reference),
            settings=settings,
            model=typed_path(self.model) if self.model else None,
            has_features=self.has_features,
            fps=self.fps,
            command=tuple(shlex.split(self.command)),
        )


class DriftDialog(AskDialog):
    """Asks for a run or a recording, and for the reference."""

    def __init__(self, theme: Theme, wish: DriftWish, parent: QWidget) -> None:
        super().__init__("", "", parent)
        self.setWindowTitle(self.tr("Check for drift"))
        self.go.setText(self.tr("Check"))
        self._wish = wish
        self.target = PathField(theme, self.tr("Run or recording"), filters="", folders=True, parent=self)
        self.reference = PathField(theme, self.tr("Reference"), filters="JSON (*.json)", folders=False, parent=self)
        self.model = PathField(theme, self.tr("Model"), filters=MODELS, folders=False, parent=self)
        self.features = QCheckBox(self.tr("compare the network's own features; a run has those that it kept"), self)
        for words, field in (
            (self.tr("Run or recording"), self.target),
            (self.tr("Reference"), self.reference),
            (self.tr("Model"), self.model),
            ("", self.features),
        ):
            self.add(words, field)
        self.target.text, self.reference.text, self.model.text = wish.target, wish.reference, wish.model
        self.features.setChecked(wish.has_features)
        self.target.say(self.tr("a folder of a run, its id, “last”, or a recording"))
        self.reference.say(self.tr("made with: hilgui drift reference GOOD_DRIVE --model MODEL --out REF"))
        self.model.say(self.tr("of a recording: its outputs are compared too; a run has its own"))
        for field in (self.target, self.reference, self.model):
            field.changed.connect(self.say_command)
        self.features.toggled.connect(self.say_command)
        self.say_command()

    @property
    def wish(self) -> DriftWish:
        """Give what stands in the lines."""
        return DriftWish(
            target=self.target.text,
            reference=self.reference.text,
            model=self.model.text,
            has_features=self.features.isChecked(),
            fps=self._wish.fps if self.target.text == self._wish.target else None,
        )

    def problems(self) -> dict[PathField, str]:
        """Say what is missing."""
        wish = self.wish
        is_known = wish.reference and is_file(typed_path(wish.reference))
        model = self.no_model(wish.model) if wish.model else ""
        target = typed_path(wish.target)
        is_recording = target.exists() and not (target / DATABASE).exists()
        if wish.has_features and is_recording and not wish.model:
            model = self.tr("Features of a recording are those of a model: choose one.")
        return {
            self.target: "" if wish.target else self.tr("Choose a run or a recording."),
            self.reference: "" if is_known else self.tr("Choose a file that hilgui drift reference wrote."),
            self.model: model,
        }
