"""What is done with the registry: a model comes in, an alias is named; promoting and rolling back as on Decide."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from hilgui.gui.decide.acts import Acts
from hilgui.gui.decide.dialogs import AskDialog
from hilgui.models import Alias, Entry, Move
from hilgui.pipeline.deciding import open_registry, who
from hilgui.settings import Settings


class ShelfActs(Acts):
    """One act at a time, each after a question that names what it is about."""

    imported = Signal(object)  # Entry

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(settings, parent)
        self._waiting: list[Path] = []
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(0)
        self._next.timeout.connect(self._ask_next)

    def close(self) -> None:
        """Ask about nothing more, and let the thread end."""
        self._waiting.clear()
        self._next.stop()
        super().close()

    def import_models(self, paths: list[Path]) -> None:
        """Ask about each file, one dialog after the other."""
        self._waiting += paths
        self._ask_next()

    def name_model(self, entry: Entry, slots: list[str]) -> None:
        """Ask for which slot a model shall be candidate, or the first champion."""
        dialog = AskDialog(
            self.tr("Name a model in a slot"),
            self.tr("A slot is a job, such as front-detector. Its champion changes by promoting and rolling back."),
            [(self.tr("Model"), f"{entry.name}  {entry.sha256}")],
            self.tr("Name it"),
            self._place,
        )
        dialog.slot = dialog.line(self.tr("Slot"), slots[0] if slots else "")
        dialog.key = dialog.choice(self.tr("As"), [Alias.CANDIDATE.value, Alias.CHAMPION.value])
        dialog.reason = dialog.line(self.tr("Reason"))

        def go() -> None:
            slot, alias = dialog.slot.text().strip(), Alias(dialog.key.currentText())
            reason, by = dialog.reason.text().strip() or self.tr("set by hand"), who(self._settings)

            def work() -> Move:
                return open_registry(self._settings).set(slot, alias, entry.sha256, by=by, reason=reason)

            def told(move: Move) -> None:
                self.moved.emit(move)
                self.message.emit("info", self.tr("{0}: {1} is {2} now.").format(move.slot, move.alias, entry.name))

            self._do("name a model", work, told, dialog)

        self._open(dialog, go)

    def _ask_next(self) -> None:
        """Ask about the next file, once nothing is asked and nothing under way."""
        is_asking = self.dialog is not None and isValid(self.dialog) and self.dialog.isVisible()
        if self._waiting and not self.is_busy and not is_asking:
            self._do("models", self._names, partial(self._ask_import, self._waiting.pop(0)))

    def _on_answered(self, _result: int) -> None:
        self._next.start()

    def _end(self) -> None:
        super()._end()
        self._next.start()

    def _ask_import(self, path: Path, names: list[str]) -> None:
        dialog = AskDialog(
            self.tr("Import a model"),
            self.tr("The file is copied, tried in a limited process, and kept under the hash of its content."),
            [(self.tr("File"), str(path))],
            self.tr("Import"),
            self._place,
        )
        dialog.slot = dialog.line(self.tr("Name"), path.stem)
        dialog.key = dialog.choice(self.tr("Made from"), ["", *names])
        dialog.command = dialog.line(self.tr("Made by (command)"))
        dialog.reason = dialog.line(self.tr("Notes"))

        def work(name: str, made_from: str, command: str, notes: str) -> Entry:
            parents = (made_from.rpartition(" ")[2],) if made_from else ()
            shelf = open_registry(self._settings).shelf
            return shelf.put(path, name=name, by=who(self._settings), command=command, made_from=parents, notes=notes)

        def go() -> None:
            dialog.wait_for(self.tr("Trying the model in a process of its own…"))
            told = (dialog.slot.text().strip(), dialog.key.currentText(), dialog.command.text().strip(),
                dialog.reason.text().strip())  # fmt: skip
            self._do("import", lambda: work(*told), self._on_imported, dialog)

        dialog.finished.connect(self._on_answered)
        self._open(dialog, go)

    def _names(self) -> list[str]:
        """Name the models that another may be made from; reads the disk, so it goes on an errand."""
        return [f"{one.name} {one.short}" for one in open_registry(self._settings).shelf.entries()]

    def _on_imported(self, entry: Entry) -> None:
        self.imported.emit(entry)
        words = self.tr("Imported {0}: {1}, read by {2}, sha256 {3}…")
        self.message.emit("info", words.format(entry.name, entry.task, entry.adapter, entry.short))
