"""Keeps the machine busy while a case replays: what a bench has to bear beside other work."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from hilgui.processes import unheard_interrupts


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep the machine busy with processes of their own; they end with the block, or with this process."""
    context = multiprocessing.get_context("spawn")
    ends: list[Connection] = []
    processes = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_burn, args=(theirs,), name="hilgui-load")
            with unheard_interrupts():
                process.start()
            theirs.close()
            ends.append(ours)
            processes.append(process)
        yield
    finally:
        for end in ends:
            end.close()
        for process in processes:
            process.join(5.0)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def _burn(pipe: Connection) -> None:
    """Compute until the other end of the pipe is closed."""
    while not pipe.poll(0.0):
        sum(number * number for number in range(20_000))
