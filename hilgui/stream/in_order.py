"""Work that goes side by side and comes back in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Answer = TypeVar("Answer")


def in_order(pool: Executor, calls: Iterable[Callable[[], Answer]], ahead: int) -> Iterator[Answer]:
    """Give the answers of calls in the order of the calls, at most `ahead` of which wait; what is left is cancelled."""
    waiting: deque[Future[Answer]] = deque()
    try:
        for call in calls:
            waiting.append(pool.submit(call))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
