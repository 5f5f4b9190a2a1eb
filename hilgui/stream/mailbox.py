"""One slot that always holds the newest item."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from hilgui.stream.channel import Closed

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """A producer that never waits and a consumer that only wants the newest."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self._closed = False
        self._changed = threading.Condition()

    def post(self, item: Item) -> Item | None:
        """Put the newest item; return the one it replaces, which nobody took. Raises Closed."""
        with self._changed:
            if self._closed:
                raise Closed
            replaced, self._item = self._item, item
            self._changed.notify()
            return replaced

    def take(self) -> Item:
        """Wait for an item. Raises Closed when closed and empty."""
        with self._changed:
            while self._item is None:
                if self._closed:
                    raise Closed
                self._changed.wait()
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Refuse new items; the last one can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Close and throw away what is left."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
