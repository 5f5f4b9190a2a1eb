"""The models of the library: slots with their aliases, every model with its card, lineage and moves."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label
from hilgui.gui.library.acts import ShelfActs
from hilgui.gui.library.shelf_sheets import Shelved, Slot, fact_rows, model_rows, move_rows, read_shelf, slot_rows
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, mark
from hilgui.models import Alias, Entry

_PATIENCE_S = 5.0


class ModelsView(BenchPage):
    """Reads the registry on an errand; what is done to it goes through `ShelfActs`."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._errand: Errand[Shelved] | None = None
        self._shelved = Shelved()
        self._entry: Entry | None = None
        self._slot: Slot | None = None
        theme = bench.theme
        self.acts = ShelfActs(bench.settings, self)
        self.slots = LinkedTable(theme, self.tr("Slots"), self)
        self.models = LinkedTable(theme, self.tr("Models"), self)
        self.facts = LinkedTable(theme, self.tr("Facts of the model"), self)
        self.moves = LinkedTable(theme, self.tr("Moves of the slot"), self)
        self.card = QPlainTextEdit(self)
        self.tabs = QTabWidget(self)
        self.empty = EmptyPage(self)
        self.buttons: dict[str, QPushButton] = {}
        self._command = Label(self)
        self._stack = QStackedWidget(self)
        self._build()
        self._connect()
        self._allow()

    @property
    def is_reading(self) -> bool:
        """Say whether the registry is being read or changed."""
        return self._errand is not None or self.acts.is_busy

    @property
    def shelved(self) -> Shelved:
        """Give the registry as it is shown."""
        return self._shelved

    @property
    def entry(self) -> Entry | None:
        """Give the model that is shown."""
        return self._entry

    @property
    def slot(self) -> Slot | None:
        """Give the slot that is shown."""
        return self._slot

    @property
    def command(self) -> str:
        """Give the command that shows the same."""
        if self._entry is not None:
            return shlex.join(["hilgui", "models", "show", self._entry.short])
        return shlex.join(["hilgui", "models", "history", self._slot.name]) if self._slot else "hilgui models list"

    def refresh(self) -> None:
        """Read the registry; what is shown stays until the answer is there."""
        if self._errand is not None:
            self._errand.forget()
        settings = self._bench.settings
        self._errand = Errand(self, "registry", lambda: read_shelf(settings), self._on_read, self._on_broken)

    def close_page(self) -> None:
        """Let the threads end."""
        self.acts.close()
        let_go(_PATIENCE_S, self._errand)
        self._errand = None

    def import_models(self, paths: Sequence[Path]) -> None:
        """Ask about models that are to come in."""
        self.acts.import_models(list(paths))

    def show_behind(self, what: object) -> None:
        """Show a model, or a slot with its moves."""
        if isinstance(what, Entry):
            self._show_entry(what)
        elif isinstance(what, Slot):
            self._slot = what
            self.moves.put(*move_rows(self.tr, self._shelved, what.moves))
            champion = what.placed.get(Alias.CHAMPION) or what.placed.get(Alias.CANDIDATE)
            entry = self._shelved.entry(champion.sha256) if champion else None
            if entry is not None:
                self._show_entry(entry)
            self.tabs.setCurrentWidget(self.moves)
        self._say_where()

    def _show_entry(self, entry: Entry) -> None:
        self._entry = entry
        self.facts.put(*fact_rows(self.tr, self._shelved, entry))
        card = self._shelved.cards.get(entry.sha256, "")
        self.card.setPlainText(card or self.tr("# no card: everything comes from the file itself"))
        uses = self._shelved.uses(entry.sha256)
        if uses:
            self._slot = next(slot for slot in self._shelved.slots if slot.name == uses[0][0])
            self.moves.put(*move_rows(self.tr, self._shelved, self._slot.moves))
        if self.tabs.currentWidget() is self.moves:
            self.tabs.setCurrentWidget(self.facts)

    def _build(self) -> None:
        acts = QHBoxLayout()
        acts.setSpacing(GAP)
        for name, words, doer in (
            ("import", self.tr("Import…"), self._choose),
            ("name", self.tr("Name in a slot…"), self._name),
            ("promote", self.tr("Promote…"), self._promote),
            ("roll_back", self.tr("Roll back…"), self._roll_back),
        ):
            button = QPushButton(words, self)
            button.clicked.connect(doer)
            self.buttons[name] = button
            acts.addWidget(button)
        self._bind("Ctrl+I", self.tr("Import a model"), self._choose)
        self.buttons["import"].setToolTip("Ctrl+I")
        acts.addStretch(1)
        self.card.setReadOnly(True)
        self.card.setAccessibleName(self.tr("Card of the model"))
        mark(self.card, tone="mono")
        for widget, words in (
            (self.facts, self.tr("Facts and lineage")),
            (self.card, self.tr("Card")),
            (self.moves, self.tr("Moves of the slot")),
        ):
            self.tabs.addTab(widget, words)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._section(self.tr("Slots")))
        column.addWidget(self.slots, 2)
        column.addWidget(self._section(self.tr("Models")))
        column.addWidget(self.models, 5)
        body = splitter(Qt.Orientation.Horizontal, left, self.tabs, stretch=(3, 2))
        body.setSizes([720, 480])
        self._stack.addWidget(body)
        self._stack.addWidget(self.empty)
        mark(self._command, tone="mono")
        self._command.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(acts)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._command)
        self._bind("Ctrl+Shift+C", self.tr("Copy the command that shows the same"), self.copy_command)
        self._bind("F5", self.tr("Read the registry again"), self.refresh)

    def _section(self, words: str) -> Label:
        label = Label(words, self)
        mark(label, tone="section")
        return label

    def _connect(self) -> None:
        for table in (self.slots, self.models, self.moves):
            table.asked.connect(self.show_behind)
        self.acts.message.connect(self.message)
        self.acts.trouble.connect(self.trouble)
        self.acts.moved.connect(lambda _move: self.refresh())
        self.acts.imported.connect(self._on_imported)
        self.acts.busy_changed.connect(lambda _is_busy: self._allow())
        self.empty.asked.connect(self._choose)

    def _on_read(self, shelved: Shelved) -> None:
        self._errand = None
        self._shelved = shelved
        self.slots.put(*slot_rows(self.tr, shelved))
        self.models.put(*model_rows(self.tr, shelved))
        self._stack.setCurrentIndex(0 if shelved.entries else 1)
        if not shelved.entries:
            hint = self.tr(
                "Drop an ONNX file here, or choose one. It is tried in a limited process first and kept under the hash "
                "of its content; slots then say which model is champion, candidate and last good."
            )
            self.empty.say(self.tr("The registry is empty"), hint, self.tr("Import a model…"))
        entry = None if self._entry is None else shelved.entry(self._entry.sha256)
        name = "" if self._slot is None else self._slot.name
        self._slot = next((slot for slot in shelved.slots if slot.name == name), None)
        if entry is None and shelved.slots and Alias.CHAMPION in shelved.slots[0].placed:
            entry = shelved.entry(shelved.slots[0].placed[Alias.CHAMPION].sha256)
        entry = entry or (shelved.entries[0] if shelved.entries else None)
        if entry is not None:
            is_moves = self.tabs.currentWidget() is self.moves
            self._show_entry(entry)
            if is_moves:
                self.tabs.setCurrentWidget(self.moves)
        self._say_where()

    def _on_broken(self, sentence: str, details: str) -> None:
        self._errand = None
        self.trouble.emit(sentence, details)

    def _on_imported(self, entry: Entry) -> None:
        self._entry = entry
        self.refresh()

    def _say_where(self) -> None:
        self._command.setText(self.command)
        self._allow()

    def _allow(self) -> None:
        """Enable what can be done now, and say what stands in the way."""
        is_free, slot = not self.acts.is_busy, self._slot
        promotable = None if slot is None else slot.promotable
        self.buttons["import"].setEnabled(is_free)
        self.buttons["name"].setEnabled(is_free and self._entry is not None)
        self.buttons["promote"].setEnabled(is_free and promotable is not None)
        self.buttons["promote"].setToolTip(
            self.tr("Decision {0}").format(promotable.id)
            if promotable is not None
            else self.tr("Takes a recorded and signed decision PROMOTE about this slot's candidate (Decide page)")
        )
        has_last = slot is not None and Alias.LAST_GOOD in slot.placed
        self.buttons["roll_back"].setEnabled(is_free and has_last)
        self.buttons["roll_back"].setToolTip("" if has_last else self.tr("The slot has no last good model yet"))

    def _choose(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Import models"), str(Path.home()), "ONNX (*.onnx)")
        self.import_models([Path(one) for one in chosen])

    def _name(self) -> None:
        if self._entry is not None:
            slots = [slot.name for slot in self._shelved.slots]
            first = [] if self._slot is None else [self._slot.name]
            self.acts.name_model(self._entry, [*first, *slots])

    def _promote(self) -> None:
        if self._slot is not None and self._slot.promotable is not None:
            self.acts.promote(self._slot.promotable)

    def _roll_back(self) -> None:
        if self._slot is not None:
            self.acts.roll_back(self._slot.name)
