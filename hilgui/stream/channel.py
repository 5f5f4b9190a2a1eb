"""A bounded queue that can be closed from both ends."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Closed(Exception):
    """The channel was closed: nothing more can be put, or nothing is left to take."""


class Overflow(Enum):
    """What happens to a new item when the channel is full."""

    BLOCK = auto()  # recordings and the journal: the producer waits
    DROP_OLDEST = auto()  # live frames: the oldest is given back to the producer, who counts it


class Channel(Generic[Item]):
    """First in, first out, at most `capacity` items; closing wakes everybody.

    `close` lets consumers take what is left; `abort` throws it away. Both may be called twice, by anybody.
    """

    def __init__(self, capacity: int, overflow: Overflow = Overflow.BLOCK) -> None:
        if capacity < 1:
            raise ValueError(f"a channel holds at least one item, not {capacity}")
        self._capacity = capacity
        self._overflow = overflow
        self._items: deque[Item] = deque()
        self._closed = False
        lock = threading.Lock()
        self._can_put = threading.Condition(lock)
        self._can_take = threading.Condition(lock)

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> Item | None:
        """Add an item; return the one that had to go, if any. Raises Closed."""
        with self._can_put:
            if self._overflow is Overflow.BLOCK:
                while len(self._items) >= self._capacity and not self._closed:
                    self._can_put.wait()
            if self._closed:
                raise Closed
            dropped = self._items.popleft() if len(self._items) >= self._capacity else None
            self._items.append(item)
            self._can_take.notify()
            return dropped

    def take(self, timeout_s: float | None = None) -> Item:
        """Wait for the oldest item. Raises Closed when closed and empty, TimeoutError when the time is over."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._can_take:
            while not self._items:
                if self._closed:
                    raise Closed
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._can_take.wait(left)
            item = self._items.popleft()
            self._can_put.notify()
            return item

    def take_more(self, limit: int) -> list[Item]:
        """Take up to `limit` items that are already there, without waiting."""
        with self._can_take:
            items = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            if items:
                self._can_put.notify_all()
            return items

    def __iter__(self) -> Iterator[Item]:
        """Take until the channel is closed and empty."""
        while True:
            try:
                yield self.take()
            except Closed:
                return

    def close(self) -> None:
        """Refuse new items; consumers still get what is left."""
        with self._can_take:
            self._closed = True
            self._can_take.notify_all()
            self._can_put.notify_all()

    def abort(self) -> None:
        """Close and throw away what is left."""
        with self._can_take:
            self._closed = True
            self._items.clear()
            self._can_take.notify_all()
            self._can_put.notify_all()
