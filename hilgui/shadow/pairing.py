"""Joins what both models say about a frame and restores the order of capture."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from hilgui.records import Frame, Inference, Loss, Role
from hilgui.stream import Closed


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One frame with the outputs of the models that saw it."""

    frame: Frame
    inferences: dict[Role, Inference]


class Pairing:
    """Inference threads give results under the ticket of a frame; the judge takes them in ticket order.

    A ticket counts captured frames from 0. In a lossless replay `give` waits when its ticket runs `ahead`
    frames in front of the judge. In real time nothing waits: a frame is opened, the baseline's and the candidate's
    parts come when they come; a candidate that holds up more than `patience` frames has skipped the oldest.
    """

    def __init__(self, *, ahead: int = 16, patience: int = 64) -> None:
        self._ahead = ahead
        self._patience = patience
        self._next = 0
        self._done: dict[int, Paired | Loss] = {}
        self._open: dict[int, _Open] = {}
        self._closed = False
        self._total: int | None = None
        self._changed = threading.Condition()
        self.candidate_skipped = 0

    def give(self, ticket: int, result: Paired | Loss) -> None:
        """Give the complete result of a frame; waits for the judge. Raises Closed."""
        with self._changed:
            while ticket >= self._next + self._ahead and not self._closed:
                self._changed.wait()
            if self._closed:
                raise Closed
            self._done[ticket] = result
            self._changed.notify_all()

    def lose(self, ticket: int, loss: Loss) -> None:
        """Give a frame of a live source that was lost; never waits, as a camera does not either."""
        with self._changed:
            self._done[ticket] = loss
            self._changed.notify_all()

    def open(self, ticket: int, frame: Frame) -> None:
        """Announce a frame that both models will be asked about; never waits."""
        with self._changed:
            self._open[ticket] = _Open(frame, {}, {Role.BASELINE, Role.CANDIDATE})
            for late in [late for late, each in self._open.items() if each.waiting == {Role.CANDIDATE}]:
                if len(self._open) <= self._patience:
                    break
                self._settle(late, Role.CANDIDATE, None)
            self._changed.notify_all()

    def give_part(self, ticket: int, role: Role, inference: Inference | None) -> None:
        """Give one model's part of an opened frame, None where it skipped the frame; too late is a skip."""
        with self._changed:
            self._settle(ticket, role, inference)
            self._changed.notify_all()

    def finish(self, total: int) -> None:
        """Say how many tickets there were; the judge ends after the last one."""
        with self._changed:
            self._total = total
            self._changed.notify_all()

    def abort(self) -> None:
        """Wake everybody; what is not judged yet is thrown away."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Paired | Loss]:
        """Give the results in order until the last ticket, or until aborted."""
        while True:
            with self._changed:
                while self._next not in self._done and not self._closed and self._next != self._total:
                    self._changed.wait()
                if self._closed or self._next == self._total:
                    return
                result = self._done.pop(self._next)
                self._next += 1
                self._changed.notify_all()
            yield result

    def _settle(self, ticket: int, role: Role, inference: Inference | None) -> None:
        opened = self._open.get(ticket)
        if opened is None:  # was given up before
            return
        opened.waiting.discard(role)
        if inference is not None:
            opened.inferences[role] = inference
        elif role is Role.CANDIDATE:
            self.candidate_skipped += 1
        if not opened.waiting:
            del self._open[ticket]
            self._done[ticket] = Paired(opened.frame, opened.inferences)


@dataclass(slots=True, eq=False)
class _Open:
    frame: Frame
    inferences: dict[Role, Inference]
    waiting: set[Role]
