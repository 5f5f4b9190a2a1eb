"""The lock of a run folder: held by whoever writes it, taken by whoever finds out that the writer is gone."""

from __future__ import annotations

from pathlib import Path

from hilgui.durable import FileLock
from hilgui.store.folder import LOCK


class RunLock(FileLock):
    """Says whether the writer of a run lives."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / LOCK)
