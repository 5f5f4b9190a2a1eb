"""What is done with a decision: recorded, signed, promoted, rolled back, bundled; on errands, after a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from hilgui.evidence import (
    Decisions,
    Event,
    Incidents,
    IncidentSeverity,
    KeyRing,
    Recorded,
    Trigger,
    promote,
    trigger_of,
)
from hilgui.evidence.bundle import Extras
from hilgui.evidence.keys import BENCH
from hilgui.evidence.runs import note_page
from hilgui.evidence.verify import Found, in_words, verify_bundle
from hilgui.gui.decide.dialogs import AskDialog, LinesDialog
from hilgui.gui.errand import Errand, let_go
from hilgui.models import Alias, Move
from hilgui.pipeline.bundling import export_bundle
from hilgui.pipeline.deciding import Acted, Decided, open_registry, record_decided, who
from hilgui.settings import Settings

_PATIENCE_S = 30.0


class Acts(QObject):
    """One act at a time; the widget it belongs to is the parent of its questions."""

    message = Signal(str, str)
    trouble = Signal(str, str)
    recorded = Signal(object)  # Recorded, new or signed
    moved = Signal(object)  # Move
    busy_changed = Signal(bool)

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self._place = parent
        self._errand: Errand[Any] | None = None
        self.dialog: AskDialog | LinesDialog | None = None

    @property
    def is_busy(self) -> bool:
        """Say whether an act is under way."""
        return self._errand is not None

    def close(self) -> None:
        """Let the thread end: what was begun is done to its end."""
        let_go(_PATIENCE_S, self._errand)
        self._errand = None

    def record(self, decided: Decided) -> None:
        """Record a decision; a ROLL BACK in the field moves the alias at once."""
        self._do("record", lambda: record_decided(decided, self._settings), self._on_recorded)

    def sign(self, recorded: Recorded) -> None:
        """Look which keys there are, ask for one and its passphrase, and sign."""
        home = self._settings.home
        self._do("keys", lambda: _own_keys(home), partial(self._ask_key, recorded))

    def _ask_key(self, recorded: Recorded, keys: list[str]) -> None:
        home = self._settings.home
        open_keys = [name for name in keys if name not in recorded.agreed]
        if not open_keys:
            self.message.emit("warning", self.tr("No key is left that could sign; make one: hilgui keys new NAME"))
            return
        have = ", ".join(recorded.agreed) or self.tr("nobody yet")
        facts = [(self.tr("Decision"), recorded.id), (self.tr("Signed by"), have)]
        facts += [(role, model) for role, model in sorted(recorded.models.items())]
        facts += [(self.tr("Looser"), one) for one in recorded.plain["loosened"]]
        words = f"{recorded.action.value}: {recorded.plain['decision']['sentence']}"
        dialog = AskDialog(self.tr("Sign a decision"), words, facts, self.tr("Sign"), self._place)
        dialog.key = dialog.choice(self.tr("Key"), open_keys)
        dialog.passphrase = dialog.line(self.tr("Passphrase"), is_secret=True)

        def go() -> None:
            name, secret = dialog.key.currentText(), dialog.passphrase.text()
            dialog.passphrase.clear()
            self._do(
                "sign",
                lambda: Decisions(home).sign(recorded, KeyRing(home).unlock(name, secret)),
                self.recorded.emit,
                dialog,
            )

        self._open(dialog, go)

    def promote(self, recorded: Recorded) -> None:
        """Ask, naming slot, models and hashes; then make the candidate champion."""
        self._do("slot", lambda: _placed(self._settings, recorded.slot), partial(self._ask_promote, recorded))

    def _ask_promote(self, recorded: Recorded, placed: list[tuple[str, str]]) -> None:
        dialog = AskDialog(
            self.tr("Promote the candidate"),
            self.tr("The candidate becomes champion, as the decision says; the champion stays as last_good."),
            [(self.tr("Decision"), recorded.id), *placed],
            self.tr("Promote"),
            self._place,
        )
        dialog.slot = dialog.line(self.tr("Slot"), recorded.slot)
        dialog.reason = dialog.line(self.tr("Reason"))

        def work() -> Move:
            registry = open_registry(self._settings, decision=recorded.id)
            return promote(registry, dialog.slot_name, recorded, reason=dialog.why)

        self._open(dialog, lambda: self._move(dialog, work))

    def roll_back(self, slot: str) -> None:
        """Ask, naming slot, models and hashes; then bring the last good model back. One person is enough."""
        self._do("slot", lambda: _placed(self._settings, slot), partial(self._ask_roll_back, slot))

    def _ask_roll_back(self, slot: str, placed: list[tuple[str, str]]) -> None:
        dialog = AskDialog(
            self.tr("Roll back"),
            self.tr("The last good model becomes champion again. The alias moves first, the proof follows."),
            placed,
            self.tr("Roll back"),
            self._place,
        )
        dialog.slot = dialog.line(self.tr("Slot"), slot)
        dialog.reason = dialog.line(self.tr("Reason"))

        def work() -> Move:
            by = who(self._settings)
            return open_registry(self._settings).roll_back(dialog.slot_name, by=by, reason=dialog.why)

        def go() -> None:
            if dialog.reason.text().strip():
                self._move(dialog, work)
            else:
                dialog.say(self.tr("Say why; it goes into the journal."))

        self._open(dialog, go)

    def open_incident(self, recorded: Recorded) -> None:
        """Ask for a title and what it is about, then open an incident about a decision and its runs."""
        sentence = self.tr(
            "An incident about this decision; its playbook comes with it. When in doubt, the higher severity."
        )
        facts = [(self.tr("Decision"), f"{recorded.action.value}  {recorded.id}")]
        dialog = AskDialog(self.tr("Open an incident"), sentence, facts, self.tr("Open"), self._place)
        dialog.reason = dialog.line(self.tr("What happened"), str(recorded.plain["decision"]["reasons"][0]))
        dialog.trigger = dialog.choice(self.tr("Trigger"), list(Trigger))
        dialog.severity = dialog.choice(self.tr("Severity"), list(IncidentSeverity))
        dialog.trigger.currentTextChanged.connect(dialog.follow_trigger)
        dialog.trigger.setCurrentText(trigger_of(recorded.plain["decision"]).value)
        dialog.follow_trigger(dialog.trigger.currentText())

        def go() -> None:
            title, by = dialog.reason.text().strip(), who(self._settings)
            trigger = Trigger(dialog.trigger.currentText())
            severity = IncidentSeverity(dialog.severity.currentText())
            self._do(
                "incident",
                lambda: Incidents(self._settings.home).open(
                    title,
                    by=by,
                    trigger=trigger,
                    severity=severity,
                    decision=recorded.id,
                    runs=recorded.runs,
                    occurred=str(recorded.plain["at"]),
                ),
                lambda made: self.message.emit(
                    "info", self.tr("{0} is open, severity {1}.").format(made.id, made.severity.value)
                ),
                dialog,
            )

        self._open(dialog, go)

    def export(self, recorded: Recorded, out: Path, runs: Sequence[Path] = ()) -> None:
        """Write the bundle of a decision; `runs` are folders of its runs that lie elsewhere."""

        def told(facts: dict[str, Any]) -> None:
            words = self.tr("{0}: {1} bytes, sha256 {2}…")
            self.message.emit("info", words.format(out, f"{facts['size']:,}", facts["sha256"][:12]))
            for one in facts["changed"]:
                self.message.emit("warning", one)

        self._do("bundle", lambda: export_bundle(recorded, out, self._settings, Extras(), runs=runs), told)

    def note_plot(self, path: Path, about: Sequence[str]) -> None:
        """Put a plot that was saved into the journal, and say where it lies."""

        def told(event: Event) -> None:
            self.message.emit("info", self.tr("{0}: sha256 {1}…").format(path, event.facts["sha256"][:12]))

        home, by = self._settings.home, who(self._settings)
        self._do("plot", lambda: note_page(home, "forest plot", path, about, by=by), told)

    def verify(self, bundle: Path) -> None:
        """Check a bundle and show what was found, line by line."""
        home = self._settings.home

        def told(found: Found) -> None:
            first, *lines = in_words(found)
            tone = {"PASS": "good", "FAIL": "missed"}.get(found.verdict, "warning")
            title = self.tr("Verified: {0}").format(bundle.name)
            said = [line.strip() for line in lines]
            dialog = LinesDialog(title, first, tone, str(bundle), said, self._place)
            self._show(dialog)

        self._do("verify", lambda: verify_bundle(bundle, {key.keyid for key in KeyRing(home).all()}), told)

    def _on_recorded(self, acted: Acted) -> None:
        self.recorded.emit(acted.recorded)
        if acted.trouble:
            self.message.emit("error", self.tr("Rollback not proven: {0}").format(acted.trouble))
        elif acted.rolled_back:
            self.message.emit("info", acted.rolled_back)
        if acted.incident:
            self.message.emit("warning", self.tr("Incident {0} is open.").format(acted.incident))

    def _move(self, dialog: AskDialog, work: Callable[[], Move]) -> None:
        dialog.slot_name, dialog.why = dialog.slot.text().strip(), dialog.reason.text().strip()

        def told(move: Move) -> None:
            self.moved.emit(move)
            words = self.tr("Slot {0}: champion is {1} after {2} s, checked: {3}")
            said = words.format(move.slot, move.sha256[:12], f"{move.seconds:.2f}", ", ".join(move.checked))
            self.message.emit("info", said)

        self._do("move", work, told, dialog)

    def _open(self, dialog: AskDialog, go: Callable[[], None]) -> None:
        dialog.agreed.connect(go)
        self._show(dialog)

    def _show(self, dialog: AskDialog | LinesDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _do(
        self, name: str, work: Callable[[], Any], done: Callable[[Any], object], dialog: AskDialog | None = None
    ) -> None:
        if self._errand is not None:
            words = self.tr("Something else is under way; try again in a moment.")
            if dialog is not None:
                dialog.say(words)
            else:
                self.message.emit("info", words)
            return

        def finished(answer: Any) -> None:
            self._end()
            if dialog is not None and isValid(dialog):  # a person may have left it meanwhile
                dialog.accept()
            done(answer)

        def failed(sentence: str, details: str) -> None:
            self._end()
            if dialog is not None and isValid(dialog) and dialog.isVisible():
                dialog.say(sentence)
            else:
                self.trouble.emit(sentence, details)

        self.busy_changed.emit(True)
        self._errand = Errand(self, name, work, finished, failed)

    def _end(self) -> None:
        self._errand = None
        self.busy_changed.emit(False)


def _own_keys(home: Path) -> list[str]:
    """Name the keys of people that this bench can sign with; reads the disk, so it goes on an errand."""
    return [key.name for key in KeyRing(home).all() if key.is_own and key.name != BENCH]


def _placed(settings: Settings, slot: str) -> list[tuple[str, str]]:
    """Name the models of a slot with their hashes; reads the disk, so it goes on an errand."""
    if not slot:
        return []
    registry = open_registry(settings)
    found = {alias: registry.placed(slot, alias) for alias in Alias}
    return [
        (alias.value, f"{registry.shelf.entry(placed.sha256).name} {placed.sha256}")
        for alias, placed in found.items()
        if placed is not None
    ]
