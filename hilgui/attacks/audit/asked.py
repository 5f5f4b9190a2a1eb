"""An audit with its report and its result as one piece of work: for the command, and beside the screen."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.attacks.audit.document import document_of, result_of, with_pictures
from hilgui.attacks.audit.finding import Audit
from hilgui.attacks.audit.run import Tell, audit, folder_for, frames_of
from hilgui.durable import write_document
from hilgui.inference import Model, try_before_first_use
from hilgui.report.document_html import html_of
from hilgui.resources import shipped
from hilgui.robustness import results_root, write_result
from hilgui.settings import Settings

COUNT = 12  # pictures
FULL = "full"


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit left: its findings, its report, and the folder of the result for page and reports."""

    made: Audit
    report: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class AskedAudit:
    """Which model, on which pictures (None: the demo's day), with which probes."""

    model: Path
    settings: Settings
    images: Path | None = None
    suite: str = FULL
    count: int = COUNT
    seed: int = 0
    out: Path | None = None  # of this model's audits; None: one below the data folder
    command: tuple[str, ...] = ()

    def __call__(self, kept: dict[str, Any], tell: Tell) -> Path:
        """Audit and store; gives the folder of the result. Raises HilguiError."""
        return self.run(tell).folder

    def run(self, tell: Tell) -> Audited:
        """Audit and store; raises HilguiError."""
        source = self.images or shipped("assets/demo/day.mp4")
        try_before_first_use(self.model)
        with closing(Model.load(self.model, provider=self.settings.provider)) as loaded:
            home = self.out or folder_for(loaded, self.settings.home / "audits")
            taken = frames_of(source, self.count)
            words = f"{len(taken)} of {source.name}"
            made = audit(loaded, [*taken.values()], home, suite=self.suite, pictures=words, seed=self.seed, tell=tell)
            result = result_of(made, loaded.facts, source, self.command, taken)
        report = home / "audit.html"
        write_document(report, html_of(document_of(made, home)).encode())
        folder = results_root(self.settings.home) / result.id
        write_result(folder, with_pictures(result, made, home, folder, taken))
        return Audited(made, report, folder)
