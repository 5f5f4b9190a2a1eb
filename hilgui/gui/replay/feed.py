"""Loads a run in the background and follows it while it is written."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hilgui.errors import HilguiError
from hilgui.records import Finding, Ledger, Role, RunHeader, Verdict
from hilgui.store import RunReader, Timeline, state_of
from hilgui.store import Series as StoredSeries
from hilgui.stream import StopToken

log = logging.getLogger(__name__)

_EVERY_S = 1.0  # lanes, findings and figures are drawn anew each time
_FINISHED = frozenset({"finished", "aborted"})


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """What was added to a run since the last look; `findings` are all of them, or None where nothing changed."""

    header: RunHeader
    timeline: Timeline
    findings: tuple[Finding, ...] | None
    state: str
    verdict: Verdict | None
    ledger: Ledger
    signals: dict[str, StoredSeries]  # of the vehicle's bus, on the run's clock


class RunFeed:
    """One thread, one reader. `take` never waits; the feed ends by itself when the run is finished."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop = StopToken()
        self._news: deque[News | str] = deque()
        self._thread = threading.Thread(target=self._work, name=f"replay-feed:{folder.name}")
        self._thread.start()

    def take(self) -> News | str | None:
        """Give the oldest news, a sentence when the run cannot be read, or None."""
        return self._news.popleft() if self._news else None

    @property
    def is_over(self) -> bool:
        """Say whether no more news will come."""
        return not self._thread.is_alive() and not self._news

    def close(self, timeout_s: float | None = None) -> bool:
        """Ask the thread to end and wait for it, at most `timeout_s`; say whether it has ended."""
        self._stop.stop("closed")
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            reader = RunReader(self._folder)
        except HilguiError as failure:
            self._news.append(str(failure))
            return
        try:
            self._follow(reader)
        except HilguiError as failure:
            self._news.append(str(failure))
        except Exception:  # the top of a thread
            log.exception("reading %s failed", self._folder)
            self._news.append(f"{self._folder} cannot be read; the log says more")
        finally:
            reader.close()

    def _follow(self, reader: RunReader) -> None:
        since = 0
        signals = reader.series()  # stored before the first frame
        known: list[Finding] | None = None
        texts: dict[str, Finding] = {}
        ledger = Ledger()
        while not self._stop.is_set:
            verdict = reader.verdict  # first: what is stored afterwards comes with the next look
            state, timeline = state_of(verdict), reader.timeline(since)
            ledger = _counted(ledger, timeline) if verdict is None else reader.ledger
            findings = reader.findings(known=texts)
            changed = None if findings == known else tuple(findings)
            known = findings
            if len(timeline.seq):
                since = int(timeline.seq[-1]) + 1
            self._news.append(News(reader.header, timeline, changed, state, verdict, ledger, signals))
            if state in _FINISHED:
                return
            self._stop.wait(_EVERY_S)


def _counted(before: Ledger, news: Timeline) -> Ledger:
    """Add the newest frames to what became of those before; the store counts all of them anew, however long it is."""
    evaluated, dropped, skipped = np.bincount(news.fate, minlength=3).tolist()
    candidate = news.roles.get(Role.CANDIDATE)
    alone = 0 if candidate is None else int(np.count_nonzero(~candidate.ran & (news.fate == 0)))
    return Ledger(
        captured=before.captured + len(news.seq),
        evaluated=before.evaluated + evaluated,
        dropped=before.dropped + dropped,
        skipped=before.skipped + skipped,
        with_truth=before.with_truth + int(np.count_nonzero(news.with_truth)),
        candidate_skipped=before.candidate_skipped + alone,
    )
