"""What is attacked: a model on pictures, by which method, how hard."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from hilgui.attacks.aims import Goal
from hilgui.attacks.asked import AskedAttack
from hilgui.attacks.question import FGSM, NOISE, PGD, SQUARE, AttackQuestion
from hilgui.gui.path_field import PathField
from hilgui.gui.robustness.ask_dialog import MODELS, AskDialog, Opened, typed
from hilgui.gui.theme import Theme
from hilgui.gui.typed_path import is_there, typed_path
from hilgui.robustness import ATTACKS
from hilgui.settings import Settings

SELF = "self"  # the clean answers of the model are the truth


@dataclass(frozen=True, slots=True)
class AttackWish:
    """What stands in the dialog."""

    kind: ClassVar[str] = ATTACKS
    model: str = ""
    source: str = ""
    truth: str = ""  # "": labels beside the pictures; "self"
    method: str = SQUARE
    goal: Goal = Goal.HIDE
    class_name: str = ""  # "": of every class; to create: the class that appears
    epsilon: float = 0.03
    count: int = 40

    @property
    def command(self) -> str:
        """Give the command that attacks the same."""
        words = ["hilgui", "attack", self.method, self.model or "MODEL", self.source or "IMAGES"]
        words += ["--truth", self.truth] if self.truth else []
        words += ["--goal", self.goal.value] if self.goal is not Goal.HIDE else []
        words += ["--class", self.class_name] if self.class_name else []
        return shlex.join([*words, "--epsilon", f"{self.epsilon:g}", "--count", str(self.count)])

    def beside(self, opened: Opened) -> AttackWish:
        """Propose the open run's first model and recording."""
        return replace(self, model=opened.baseline, source=opened.source, truth=opened.truth)

    def work(self, settings: Settings, root: Path) -> AskedAttack:
        """Turn it into work."""
        truth = str(typed_path(self.truth)) if self.truth not in ("", SELF) else self.truth or None
        question = AttackQuestion(
            typed_path(self.model),
            typed_path(self.source),
            self.method,
            truth=truth,
            goal=self.goal,
            class_name=self.class_name,
            epsilon=self.epsilon,
            count=self.count,
            command=tuple(shlex.split(self.command)),
        )
        return AskedAttack(question, settings)


class AttackDialog(AskDialog):
    """Asks for model, pictures, method and size."""

    def __init__(self, theme: Theme, wish: AttackWish, parent: QWidget) -> None:
        super().__init__("", "", parent)
        self.setWindowTitle(self.tr("Attack a model"))
        self.go.setText(self.tr("Attack"))
        self.model = PathField(theme, self.tr("Model"), filters=MODELS, folders=False, parent=self)
        self.source = PathField(theme, self.tr("Pictures"), filters="", folders=True, parent=self)
        self.truth = PathField(theme, self.tr("Labels"), filters="", folders=True, parent=self)
        self.method, self.epsilon, self.count = QComboBox(self), QDoubleSpinBox(self), QSpinBox(self)
        self.goal, self.class_name = QComboBox(self), QLineEdit(self)
        for method, words in (
            (SQUARE, self.tr("Square: random squares, every model")),
            (FGSM, self.tr("FGSM: one step along the gradient, needs PyTorch")),
            (PGD, self.tr("PGD: ten steps along the gradient, needs PyTorch")),
            (NOISE, self.tr("random noise alone: the control")),
        ):
            self.method.addItem(words, method)
        for goal, words in (
            (Goal.HIDE, self.tr("hide objects; a classifier: make it err")),
            (Goal.CREATE, self.tr("create objects that are not there")),
            (Goal.CHANGE, self.tr("change their class")),
        ):
            self.goal.addItem(words, goal)
        self.class_name.setPlaceholderText(self.tr("every class; to create: the one that shall appear"))
        self.epsilon.setDecimals(3)
        self.epsilon.setRange(0.004, 0.5)
        self.epsilon.setSingleStep(0.01)
        self.epsilon.setToolTip(self.tr("Largest change of a sample, as a share of the full range"))
        self.count.setRange(1, 10_000)
        for number in (self.epsilon, self.count):
            typed(number)
        for words, field in (
            (self.tr("Model"), self.model),
            (self.tr("Pictures"), self.source),
            (self.tr("Labels"), self.truth),
            (self.tr("Attack"), self.method),
            (self.tr("Goal"), self.goal),
            (self.tr("Class"), self.class_name),
            (self.tr("ε"), self.epsilon),
            (self.tr("Pictures, at most"), self.count),
        ):
            field.setAccessibleName(words)
            self.add(words, field)
        self.model.text, self.source.text, self.truth.text = wish.model, wish.source, wish.truth
        self.method.setCurrentIndex(self.method.findData(wish.method))
        self.goal.setCurrentIndex(self.goal.findData(wish.goal))
        self.class_name.setText(wish.class_name)
        self.epsilon.setValue(wish.epsilon)
        self.count.setValue(wish.count)
        self.source.say(self.tr("a folder of images, a video or a bag"))
        self.truth.say(self.tr("empty: those beside the pictures; self: the model's own clean answers"))
        for line in (self.model, self.source, self.truth):
            line.changed.connect(self.say_command)
        self.method.currentIndexChanged.connect(self.say_command)
        self.goal.currentIndexChanged.connect(self.say_command)
        self.class_name.textChanged.connect(self.say_command)
        self.epsilon.valueChanged.connect(self.say_command)
        self.count.valueChanged.connect(self.say_command)
        self.say_command()

    @property
    def wish(self) -> AttackWish:
        """Give what stands in the lines."""
        return AttackWish(
            model=self.model.text,
            source=self.source.text,
            truth=self.truth.text,
            method=str(self.method.currentData()),
            goal=Goal(self.goal.currentData()),
            class_name=self.class_name.text().strip(),
            epsilon=round(self.epsilon.value(), 3),
            count=self.count.value(),
        )

    def problems(self) -> dict[PathField, str]:
        """Say what is missing."""
        wish = self.wish
        has_source = wish.source and is_there(typed_path(wish.source))
        return {
            self.model: self.no_model(wish.model),
            self.source: "" if has_source else self.tr("Choose a folder of images, a video or a bag."),
            self.truth: "" if wish.truth == SELF else self.no_such_path(wish.truth),
        }
