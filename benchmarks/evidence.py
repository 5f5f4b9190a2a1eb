"""How long evidence takes, and whether every corruption is found: `python benchmarks/evidence.py [--write]`.

Verification is compared with reading the same zip through `zipfile` and hashing it, in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hilgui.evidence import EventKind, Journal, KeyRing  # noqa: E402
from hilgui.evidence.verify import verify_bundle  # noqa: E402
from tests.unit.evidence.bench import BETTER, record  # noqa: E402
from tests.unit.evidence.test_bundle import corrupt, write  # noqa: E402

CORRUPTIONS = 1000
DOCUMENT = ROOT / "docs" / "evidence.md"


def timed(work: Callable[[], object], times: int = 5) -> float:
    """Give the median time of some work in seconds."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def hashed(path: Path) -> None:
    """Do what any verifier has to: read and hash every file."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            hashlib.sha256(archive.read(name)).hexdigest()


def main() -> None:
    """Measure, print the table, write it where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help="put the table into docs/evidence.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        rows = list(measure(Path(place)))
    table = "\n".join(
        ["`python benchmarks/evidence.py --write` made this table.", "", "| | measured |", "|---|---|", *rows]
    )
    print(table)
    if arguments.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        head, _, rest = text.partition("<!-- measured: start -->\n")
        tail = rest.partition("<!-- measured: end -->")[2]
        DOCUMENT.write_text(f"{head}<!-- measured: start -->\n{table}\n<!-- measured: end -->{tail}", encoding="utf-8")


def measure(home: Path) -> list[str]:
    """Give the rows of the table."""
    decision = record(home, runs=3, **BETTER)
    bundle = home / "e.zip"
    made = timed(lambda: write(home, decision, bundle), 3)
    trusted = {key.keyid for key in KeyRing(home).all()}
    checked, peer = timed(lambda: verify_bundle(bundle, trusted)), timed(lambda: hashed(bundle))
    content, chance = bundle.read_bytes(), random.Random(20240607)
    unseen = unnamed = 0
    place = home / "damaged.zip"
    for _ in range(CORRUPTIONS):
        damaged, _ = corrupt(content, chance)
        place.write_bytes(damaged)
        found = verify_bundle(place, trusted)
        unseen += found.verdict != ("FAIL" if damaged else "NO BUNDLE") and damaged != content
        unnamed += found.verdict == "FAIL" and not found.problems[0]
    journal = Journal(home)
    appended = timed(lambda: journal.append(EventKind.RUN, {"run_id": "x"}, by="bench"), 200)
    for _ in range(2000):
        journal.append(EventKind.RUN, {"run_id": "x"}, by="bench")
    followed = timed(lambda: journal.checked(), 3)
    return [
        f"| bundle of {len(content) / 1e6:.1f} MB written | {made:.2f} s |",
        f"| the same bundle verified | {checked * 1e3:.0f} ms, {checked / peer:.1f} × unzip and sha256 of its files |",
        f"| random corruptions (bits, cuts, insertions) not found | {unseen} of {CORRUPTIONS} |",
        f"| ... found without saying where | {unnamed} |",
        f"| one event on the disk (fsync) | {appended * 1e3:.1f} ms |",
        f"| chain of {len(list(journal.events())):,} events followed, checkpoints compared | {followed:.2f} s |",
    ]


if __name__ == "__main__":
    main()
