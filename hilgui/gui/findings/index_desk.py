"""Asks the index in the background: the newest question wins, the screen never waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hilgui.engine.aside import Aside
from hilgui.gui.errand import Errand
from hilgui.report.finding_table import Answer, AskIndex
from hilgui.report.protocol import silent
from hilgui.triage import Query


class IndexDesk(QObject):
    """One errand at a time; what is asked meanwhile is put together into the next one. GUI thread only.

    Questions are short and answered on a thread. Reading a run again each time it has grown is not: a thread that
    does it holds the interpreter while a busy machine lets it wait, so `follow` asks the process beside the screen.
    What is asked meanwhile goes first, and the answer of `follow` is dropped.
    """

    answered = Signal(object)  # Answer
    followed = Signal(object)  # Answer of `follow`
    failed = Signal(str, str)  # sentence, details
    busy_changed = Signal(bool)

    def __init__(self, home: Path, runs: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._aside = Aside()
        self._errand: Errand[Answer] | None = None
        self._nothing = AskIndex(home, runs)
        self._next: AskIndex | None = None
        self._beside: Errand[Answer] | None = None
        self._is_ready = False  # the process beside the screen has answered once
        self._asked = 0  # questions so far

    @property
    def is_busy(self) -> bool:
        """Say whether an answer is still to come."""
        return self._errand is not None

    def ask(self, query: Query, *, looks: bool = False, extra: Iterable[Path] = ()) -> None:
        """Ask which findings pass; `looks` reads new and changed runs first."""
        waiting = self._next or self._nothing
        self._next = replace(waiting, query=query, looks=looks or waiting.looks, extra=tuple(extra))
        self._start()

    def follow(self, query: Query, extra: Iterable[Path], near: Iterable[int]) -> bool:
        """Look for new findings of a run under way, where nothing else is asked; rows around `near` come along.

        Says whether the process is ready: it takes seconds to start, and until then `ask` is quicker.
        """
        if self._errand is not None or self._beside is not None:
            return self._is_ready or self._errand is not None
        question = replace(self._nothing, query=query, looks=True, extra=tuple(extra), near=tuple(near))
        asked = self._asked

        def answered(answer: Answer) -> None:
            self._beside, self._is_ready = None, True
            if asked == self._asked:
                self.followed.emit(answer)

        def failed(sentence: str, details: str) -> None:
            self._beside, self._is_ready = None, False
            self.failed.emit(sentence, details)

        work = partial(self._aside.ask, question, silent)
        self._beside = Errand(self, "findings beside", work, answered, failed)
        return self._is_ready

    def note_change(self, query: Query, folder: Path, numbers: tuple[int, ...], extra: Iterable[Path] = ()) -> None:
        """Tell the index about a decision, then ask again."""
        waiting = self._next or self._nothing
        changed = (*waiting.changed, (folder, numbers))
        self._next = replace(waiting, query=query, changed=changed, extra=tuple(extra))
        self._start()

    def close(self, timeout_s: float) -> None:
        """Let errand and process end; for the end of the application."""
        self._next = None
        errands = [errand for errand in (self._errand, self._beside) if errand is not None]
        self._errand = self._beside = None
        for errand in errands:
            errand.forget()
        self._aside.close()
        for errand in errands:
            errand.wait(timeout_s)

    def _start(self) -> None:
        if self._errand is not None or self._next is None:
            return
        question, self._next = self._next, None
        self._asked += 1
        self._errand = Errand(self, "findings", partial(question, {}, silent), self._on_answer, self._on_failure)
        self.busy_changed.emit(True)

    def _on_answer(self, answer: Answer) -> None:
        self._errand = None
        if self._next is None:
            self.busy_changed.emit(False)
            self.answered.emit(answer)
        self._start()

    def _on_failure(self, sentence: str, details: str) -> None:
        self._errand = None
        self.busy_changed.emit(False)
        self.failed.emit(sentence, details)
        self._start()
