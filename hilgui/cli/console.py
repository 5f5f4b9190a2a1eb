"""What the command line writes: results on standard output, progress and complaints on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_WIDE = 200  # columns where nobody looks through a terminal: a file, a pipe, CI

results = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
notes = Console(stderr=True, highlight=False, soft_wrap=True)

_LINE_EVERY_S = 5.0


def print_json(document: Any) -> None:
    """Write one JSON document on standard output; anything that is no number is null."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


class Ticker:
    """Shows how far a long job is: a bar with rate and time left on a terminal, plain lines otherwise."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self._title = title
        self._total = total
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._spoken = time.monotonic()

    def __enter__(self) -> Ticker:
        """Show the bar."""
        if notes.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=notes, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=self._total, rate="")
        return self

    def expect(self, total: int | None) -> None:
        """Say how much there is, once it is known."""
        self._total = total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total)

    def advance(self, done: int, rate: float, unit: str, seconds_left: float | None = None) -> None:
        """Say that `done` of the job is done."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, rate=f"{rate:.1f} {unit}/s")
        elif time.monotonic() - self._spoken > _LINE_EVERY_S:
            self._spoken = time.monotonic()
            left = "" if seconds_left is None else f", {seconds_left:.0f} s left"
            notes.print(f"{self._title}: {done} of {self._total or '?'} {unit}, {rate:.1f}/s{left}", markup=False)

    def count(self, unit: str) -> Callable[[int, int], None]:
        """Give a function that is told how many of how many are done."""
        started = time.monotonic()

        def told(done: int, total: int) -> None:
            self.expect(total)
            self.advance(done, done / max(time.monotonic() - started, 1e-6), unit)

        return told

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
