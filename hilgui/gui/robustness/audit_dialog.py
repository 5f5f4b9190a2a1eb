"""What is audited: a model, on which pictures, with which classes of probes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from PySide6.QtWidgets import QComboBox, QSpinBox, QWidget

from hilgui.attacks.audit.asked import COUNT, FULL, AskedAudit
from hilgui.attacks.audit.finding import Kind
from hilgui.gui.path_field import PathField
from hilgui.gui.robustness.ask_dialog import MODELS, AskDialog, Opened, typed
from hilgui.gui.theme import Theme
from hilgui.gui.typed_path import typed_path
from hilgui.robustness import AUDIT
from hilgui.settings import Settings


@dataclass(frozen=True, slots=True)
class AuditWish:
    """What stands in the dialog."""

    kind: ClassVar[str] = AUDIT
    model: str = ""
    images: str = ""  # "": the demo's day
    suite: str = FULL
    count: int = COUNT

    @property
    def command(self) -> str:
        """Give the command that audits the same."""
        words = ["hilgui", "audit", self.model or "MODEL"]
        words += ["--images", self.images] if self.images else []
        return shlex.join([*words, "--suite", self.suite, "--count", str(self.count)])

    def beside(self, opened: Opened) -> AuditWish:
        """Propose the model that is to be let go: the candidate where there is one; and the open recording."""
        return replace(self, model=opened.candidate or opened.baseline, images=opened.source)

    def work(self, settings: Settings, root: Path) -> AskedAudit:
        """Turn it into work."""
        return AskedAudit(
            typed_path(self.model),
            settings,
            typed_path(self.images) if self.images else None,
            self.suite,
            self.count,
            command=tuple(shlex.split(self.command)),
        )


class AuditDialog(AskDialog):
    """Asks for model, pictures and suite."""

    def __init__(self, theme: Theme, wish: AuditWish, parent: QWidget) -> None:
        super().__init__("", "", parent)
        self.setWindowTitle(self.tr("Audit a model"))
        self.go.setText(self.tr("Audit"))
        self.model = PathField(theme, self.tr("Model"), filters=MODELS, folders=False, parent=self)
        self.images = PathField(theme, self.tr("Pictures"), filters="", folders=True, parent=self)
        self.suite, self.count = QComboBox(self), QSpinBox(self)
        self.suite.addItem(self.tr("all classes of probes"), FULL)
        for kind in Kind:
            self.suite.addItem(self.tr("only {0}").format(kind.value), kind.value[0])
        self.count.setRange(2, 1_000)
        typed(self.count)
        for words, field in (
            (self.tr("Model"), self.model),
            (self.tr("Pictures"), self.images),
            (self.tr("Suite"), self.suite),
            (self.tr("Pictures, at most"), self.count),
        ):
            field.setAccessibleName(words)
            self.add(words, field)
        self.model.text, self.images.text = wish.model, wish.images
        self.suite.setCurrentIndex(max(self.suite.findData(wish.suite), 0))
        self.count.setValue(wish.count)
        self.images.say(self.tr("no labels are needed; empty: the demo's day"))
        self.model.changed.connect(self.say_command)
        self.images.changed.connect(self.say_command)
        self.suite.currentIndexChanged.connect(self.say_command)
        self.count.valueChanged.connect(self.say_command)
        self.say_command()

    @property
    def wish(self) -> AuditWish:
        """Give what stands in the lines."""
        return AuditWish(self.model.text, self.images.text, str(self.suite.currentData()), self.count.value())

    def problems(self) -> dict[PathField, str]:
        """Say what is missing."""
        wish = self.wish
        return {self.model: self.no_model(wish.model), self.images: self.no_such_path(wish.images)}
