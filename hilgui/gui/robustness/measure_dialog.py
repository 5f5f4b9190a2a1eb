"""What is measured: a recording with labels, one or two models, which corruptions, on how many frames."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from hilgui.gui.label import Label
from hilgui.gui.path_field import PathField
from hilgui.gui.robustness.ask_dialog import MODELS, AskDialog, Opened
from hilgui.gui.theme import Theme, mark
from hilgui.gui.typed_path import is_there, typed_path
from hilgui.pipeline import RunPlan
from hilgui.robustness import CORRUPTIONS
from hilgui.robustness.question import FRAMES, SEVERITIES, SUITES, Question
from hilgui.robustness.suite import Attempt
from hilgui.settings import Settings
from hilgui.truth import find_truth

_MOST_FRAMES = 100_000


@dataclass(frozen=True, slots=True)
class MeasureWish:
    """What stands in the dialog."""

    kind: ClassVar[str] = CORRUPTIONS
    source: str = ""
    baseline: str = ""
    candidate: str = ""
    truth: str = ""
    suite: str = "corruptions"
    frames: int = FRAMES
    is_searched: bool = True
    fps: float | None = None
    classes: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """Give the command that measures the same."""
        words = ["hilgui", "robustness", self.source or "DRIVE", "--model", self.baseline or "MODEL"]
        for option, value in (("candidate", self.candidate), ("truth", self.truth)):
            words += [f"--{option}", value] if value else []
        if self.classes:
            words += ["--classes", ",".join(self.classes)]
        if self.fps:
            words += ["--fps", f"{self.fps:g}"]
        words += ["--suite", self.suite, "--frames", str(self.frames)]
        return shlex.join(words if self.is_searched else [*words, "--no-search"])

    def beside(self, opened: Opened) -> MeasureWish:
        """Propose the open run with its models and labels."""
        return replace(
            self,
            source=opened.source,
            baseline=opened.baseline,
            candidate=opened.candidate,
            truth=opened.truth,
            fps=opened.fps,
            classes=opened.classes,
        )

    def work(self, settings: Settings, root: Path) -> Attempt:
        """Turn it into work."""
        return Attempt(self.question(settings), root)

    def question(self, settings: Settings) -> Question:
        """Turn it into the question."""
        truth = typed_path(self.truth) if self.truth else find_truth(typed_path(self.source))
        plan = RunPlan(
            source=typed_path(self.source),
            baseline=typed_path(self.baseline),
            candidate=typed_path(self.candidate) if self.candidate else None,
            out=settings.runs,
            settings=settings,
            truth=truth,
            provider=settings.provider,
            classes=self.classes,
            fps=self.fps,
        )
        return Question(
            (plan,),
            SUITES[self.suite],
            SEVERITIES,
            frames=self.frames,
            is_searched=self.is_searched,
            command=tuple(shlex.split(self.command)),
        )


class MeasureDialog(AskDialog):
    """Asks for recording, models, suite and frames."""

    def __init__(self, theme: Theme, wish: MeasureWish, parent: QWidget) -> None:
        super().__init__("", "", parent)
        self.setWindowTitle(self.tr("Measure robustness"))
        self.go.setText(self.tr("Measure"))
        self._wish = wish
        self.source = PathField(theme, self.tr("Recording"), filters="", folders=True, parent=self)
        self.truth = PathField(theme, self.tr("Labels"), filters="", folders=True, parent=self)
        self.baseline = PathField(theme, self.tr("Baseline"), filters=MODELS, folders=False, parent=self)
        self.candidate = PathField(theme, self.tr("Candidate"), filters=MODELS, folders=False, parent=self)
        self.suite = QComboBox(self)
        self.frames = QLineEdit(self)
        self.search = QCheckBox(self.tr("search the severity at which the first critical object is lost"), self)
        self._cost = Label(self)
        self._build()
        self._fill(wish)

    @property
    def wish(self) -> MeasureWish:
        """Give what stands in the lines."""
        return MeasureWish(
            source=self.source.text,
            baseline=self.baseline.text,
            candidate=self.candidate.text,
            truth=self.truth.text,
            suite=str(self.suite.currentData()),
            frames=self.asked_frames,
            is_searched=self.search.isChecked(),
            fps=self._wish.fps if self.source.text == self._wish.source else None,
            classes=self._wish.classes if self.source.text == self._wish.source else (),
        )

    @property
    def asked_frames(self) -> int:
        """Give how many frames are asked for, at least one."""
        digits = "".join(filter(str.isdecimal, self.frames.text()))  # the validator lets "+" and "1,000" through
        return min(max(1, int(digits or 1)), _MOST_FRAMES)

    def problems(self) -> dict[PathField, str]:
        """Say what is missing."""
        wish = self.wish
        return {
            self.source: "" if wish.source and is_there(typed_path(wish.source)) else self.tr("Choose a recording."),
            self.truth: self._truth_problem(wish),
            self.baseline: self.no_model(wish.baseline),
            self.candidate: self.no_model(wish.candidate) if wish.candidate else "",
        }

    def _truth_problem(self, wish: MeasureWish) -> str:
        if wish.truth:
            return "" if is_there(typed_path(wish.truth)) else self.tr("There are no such labels.")
        source = typed_path(wish.source)
        if not wish.source or not is_there(source) or find_truth(source) is not None:
            return ""
        return self.tr("No labels lie beside the recording; robustness is measured against labels.")

    def _build(self) -> None:
        names = {
            "corruptions": self.tr("the published 15 (Hendrycks, Michaelis)"),
            "bench": self.tr("what a bench adds: rain, lens, light, sensor, link, stream"),
            "all": self.tr("all"),
        }
        for suite, corruptions in SUITES.items():
            self.suite.addItem(f"{names[suite]} · {len(corruptions)}", suite)
        self.suite.setAccessibleName(self.tr("Suite"))
        self.frames.setValidator(QIntValidator(1, _MOST_FRAMES, self))
        self.frames.setAccessibleName(self.tr("Frames"))
        mark(self._cost, tone="soft")
        for words, field in (
            (self.tr("Recording"), self.source),
            (self.tr("Labels"), self.truth),
            (self.tr("Baseline"), self.baseline),
            (self.tr("Candidate"), self.candidate),
            (self.tr("Suite"), self.suite),
            (self.tr("Frames, at most"), self.frames),
            ("", self.search),
            ("", self._cost),
        ):
            self.add(words, field)
        self.suite.currentIndexChanged.connect(self._say_cost)
        self.frames.textChanged.connect(self._say_cost)
        self.search.toggled.connect(self._say_cost)
        for line in (self.source, self.truth, self.baseline, self.candidate):
            line.changed.connect(self.say_command)

    def _fill(self, wish: MeasureWish) -> None:
        self.source.text, self.truth.text = wish.source, wish.truth
        self.baseline.text, self.candidate.text = wish.baseline, wish.candidate
        self.suite.setCurrentIndex(self.suite.findData(wish.suite))
        self.frames.setText(str(wish.frames))
        self.search.setChecked(wish.is_searched)
        self.truth.say(self.tr("empty: those beside the recording"))
        self.candidate.say(self.tr("empty: one model alone"))
        self._say_cost()

    def _say_cost(self) -> None:
        conditions = len(SUITES[str(self.suite.currentData())]) * len(SEVERITIES)
        pictures = conditions * self.asked_frames
        words = self.tr("{0} conditions, {1} pictures; cancelled, it goes on later where it was")
        self._cost.setText(words.format(conditions, f"{pictures:,}"))
        self.say_command()
