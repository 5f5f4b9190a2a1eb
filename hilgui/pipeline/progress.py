"""How far a run is: committed frames counted by their fate, their latencies, and the ledger they make."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hilgui.pipeline.judge import Judged
from hilgui.records import Fate, Ledger, Loss, Role
from hilgui.stream import RateMeter

_RECENT = 600  # frames whose latencies are told


EDGES_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 33.4, 50.0, 66.7, 100.0, 200.0, 500.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Latencies:
    """A histogram: frames up to each of EDGES_MS and above the last, and the sum of all."""

    counts: tuple[int, ...]
    sum_ms: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; frames count once they are committed."""

    captured: int
    evaluated: int
    dropped: int
    skipped: int
    fps: float
    latency_ms: dict[Role, tuple[float, float]]  # p50 and p99 of the last 600 frames
    findings: int
    seconds_left: float | None
    time_s: float  # recording time of the newest stored frame
    latencies: dict[Role, Latencies] = field(default_factory=dict)  # of all frames
    missed: dict[Role, int] = field(default_factory=dict)  # labelled objects not found
    kinds: dict[str, int] = field(default_factory=dict)  # findings by kind
    drift: float | None = None  # worst figure of the last window in units of its limit; None without a reference


class Tally:
    """Counts committed frames; written by the record thread, read after it has ended."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._fates: Counter[Fate] = Counter()
        self._reasons: Counter[str] = Counter()
        self._details: dict[str, str] = {}  # of the first frame that was lost for a reason
        self._with_truth = 0
        self._findings = 0
        self._latencies: dict[Role, deque[float]] = {}
        self._counts: dict[Role, list[int]] = {}
        self._sums_ms: defaultdict[Role, float] = defaultdict(float)
        self._missed: Counter[Role] = Counter()
        self._kinds: Counter[str] = Counter()
        self._drift: float | None = None
        self._meter = RateMeter()
        self._time_s = 0.0

    def add(self, batch: Iterable[Judged], now_s: float) -> None:
        """Count a batch that was committed at `now_s`."""
        for judged in batch:
            self._findings += len(judged.findings)
            self._kinds.update(finding.kind.value for finding in judged.findings)
            self._drift = self._drift if judged.drift is None else judged.drift
            item = judged.frame
            if isinstance(item, Loss):
                self._fates[item.fate] += 1
                self._reasons[item.reason] += 1
                if item.detail:
                    self._details.setdefault(item.reason, item.detail)
            elif item is not None:
                self._fates[Fate.EVALUATED] += 1
                self._with_truth += item.is_labelled
                self._time_s = item.ref.time_s
                self._meter.tick(now_s)
                for role, inference in item.inferences.items():
                    recent = self._latencies.setdefault(role, deque(maxlen=_RECENT))
                    recent.append(inference.latency_ms)
                    counts = self._counts.setdefault(role, [0] * (len(EDGES_MS) + 1))
                    counts[bisect_left(EDGES_MS, inference.latency_ms)] += 1
                    self._sums_ms[role] += inference.latency_ms
                for role, comparison in item.comparisons.items():
                    self._missed[role] += comparison.missed

    def progress(self, captured: int) -> Progress:
        """Say how far the run is; `captured` frames have come from the source."""
        evaluated, rate = self._fates[Fate.EVALUATED], self._meter.rate
        left = None if self._total is None or rate == 0 else max(self._total - self._fates.total(), 0) / rate
        return Progress(
            captured=captured,
            evaluated=evaluated,
            dropped=self._fates[Fate.DROPPED],
            skipped=self._fates[Fate.SKIPPED],
            fps=rate,
            latency_ms={role: _p50_p99(values) for role, values in self._latencies.items()},
            findings=self._findings,
            seconds_left=left,
            time_s=self._time_s,
            latencies={role: Latencies(tuple(counts), self._sums_ms[role]) for role, counts in self._counts.items()},
            missed=dict(self._missed),
            kinds=dict(self._kinds),
            drift=self._drift,
        )

    def account(self) -> tuple[str, ...]:
        """Say what was wrong with the first frame that was lost, for each reason."""
        return tuple(f"the first frame that {reason}: {detail}" for reason, detail in self._details.items())

    def ledger(self, captured: int, candidate_skipped: int, cut: str) -> Ledger:
        """Close the books; frames under way when the run was cut off were skipped, for that reason."""
        reasons = Counter(self._reasons)
        skipped = self._fates[Fate.SKIPPED]
        under_way = captured - self._fates.total()
        if cut and under_way:
            skipped += under_way
            reasons[f"skipped: {cut}"] += under_way
        return Ledger(
            captured=captured,
            evaluated=self._fates[Fate.EVALUATED],
            dropped=self._fates[Fate.DROPPED],
            skipped=skipped,
            with_truth=self._with_truth,
            candidate_skipped=candidate_skipped,
            reasons=tuple(sorted(reasons.items())),
        )


def _p50_p99(values: deque[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(np.array(values), (50, 99))
    return float(p50), float(p99)
