"""How long filters, orders and pages of the Findings page take over 100,000 findings, against reading the runs.

python benchmarks/triage_filters.py [COUNT]
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hilgui.records.triage import TriageState
from hilgui.store import RunReader
from hilgui.triage import FindingsIndex, Journal, Query
from tests.unit.triage.many import make_run

RUNS = 20
REPEATS = 5
WEATHER = ("rain", "dry")
QUERIES = {
    "nothing filtered": Query(),
    "kind": Query(kinds=("phantom",)),
    "severity and class": Query(severities=(2,), labels=("car",)),
    "state": Query(states=("label_error",)),
    "tag": Query(tags=("fog",)),
    "drive": Query(drives=("drive7.mp4",)),
    "condition": Query(conditions=("weather=rain",)),
    "text, rare": Query(text="car 4711"),
    "text, common": Query(text="lost"),
    "nearer than 50 m": Query(nearer_m=50.0),
    "alike pictures": Query(like=0x9E3779B97F4A7C15),
    "by distance": Query(order="distance"),
    "by class, last first": Query(order="class", descending=True),
    "by time, one kind": Query(kinds=("flicker",), order="time"),
}


def main() -> int:
    """Print milliseconds, the best of five; 1 where a filter takes longer than 100 ms."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        runs = [
            make_run(
                home / "runs", count // RUNS, f"run-{n:02d}", weather=("rain", "dry")[n % 2], drive=f"drive{n}.mp4"
            )
            for n in range(RUNS)
        ]
        Journal(runs[3], home).change(range(1, 500), who="Ada", state=TriageState.LABEL_ERROR, tags=["fog"])
        with closing(FindingsIndex(home)) as index:
            print(f"index of {count} findings in {RUNS} runs made in {_timed(lambda: index.refresh(runs)):.0f} ms")
            peer = _timed(lambda: _read_all(runs))
            print(f"reading and sorting the runs themselves (no index): {peer:.0f} ms")
            print(f"looking whether anything changed: {_best(lambda: index.refresh(runs)):.1f} ms")
            worst = 0.0
            for name, query in QUERIES.items():
                took = _best(lambda query=query: index.ids(query))
                worst = max(worst, took)
                print(f"{name:24} {took:7.1f} ms  {len(index.ids(query)):7,} found  {peer / took:7.0f} × faster")
            ids = index.ids(Query())
            middle = ids[len(ids) // 2 :][:200]
            print(f"page of 200 rows in the middle: {_best(lambda: index.rows(middle)):.1f} ms")
            number = iter(range(1000, 2000))
            decided = _best(lambda: _decide(runs[3], home, index, number))
            print(f"one decision, written, synced and indexed: {decided:.1f} ms")
    print(f"slowest filter {worst:.0f} ms, limit 100 ms")
    return 0 if worst <= 100 else 1


def _decide(run: Path, home: Path, index: FindingsIndex, number) -> None:  # type: ignore[no-untyped-def]
    chosen = [next(number)]
    Journal(run, home).change(chosen, who="Ada", state=TriageState.ACCEPTED)
    index.note_change(run, chosen)


def _read_all(runs: list[Path]) -> None:
    found = []
    for run in runs:
        with closing(RunReader(run)) as reader:
            found.extend(reader.findings())
    found.sort(key=lambda finding: finding.number)


def _timed(work) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def _best(work) -> float:  # type: ignore[no-untyped-def]
    return min(_timed(work) for _ in range(REPEATS))


if __name__ == "__main__":
    raise SystemExit(main())
