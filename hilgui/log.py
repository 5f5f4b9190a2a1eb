"""Logging with the id of the run on every line."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

_current = "-"


def set_run(run_id: str) -> None:
    """Name the run that this process works on."""
    global _current
    _current = run_id


class _RunFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.run_id = _current
        return True


class _ToStandardError(logging.Handler):
    """Writes to standard error as it is at that moment: one that was put in its place may be closed by then."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is None:  # a frozen application without a console
            return
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except (OSError, ValueError):
            self.handleError(record)


def set_up(*, debug: bool = False, file: Path | None = None) -> None:
    """Send warnings (with `debug` everything of ours) to standard error, and to `file` when given."""
    handlers: list[logging.Handler] = [_ToStandardError()]
    if file is not None:
        handlers.append(logging.FileHandler(file, encoding="utf-8", delay=True))
    form = logging.Formatter("%(asctime)s %(levelname)s %(run_id)s %(threadName)s %(name)s: %(message)s")
    root = logging.getLogger("hilgui")
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(form)
        handler.addFilter(_RunFilter())
        root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    root.propagate = False
