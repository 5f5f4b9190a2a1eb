"""How often the gate says what over simulated pairs of models, and how often naive ways raise a false alarm.

    python benchmarks/gate_simulation.py [--repetitions 2000] [--drives 20] [--write]

A drive has its own difficulty and its own difference between the models; frames within it are correlated. `--write`
renews the table in docs/gate.md.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from hilgui.gate import Evidence, GateSpec, Paired, decide
from hilgui.records import Action, Role

MARGIN = 0.005  # of critical recall
SPREAD = 0.008  # between drives, of the paired difference
FRAMES = 300  # judged frames a drive, for the naive resampling
WITHIN = 0.06  # of the difference within a drive, in blocks that stay the same for 50 frames
DOCUMENT = Path(__file__).parents[1] / "docs" / "gate.md"
START, END = "<!-- simulated: start -->", "<!-- simulated: end -->"

RECALL, GAIN = "critical_recall", "map_50_95"


@dataclass(frozen=True, slots=True)
class Row:
    """One situation: how much the candidate really differs."""

    name: str
    recall: float
    gain: float
    asked: str
    limit: float
    at_least: bool = False

    def keeps(self, share: float, repetitions: int) -> bool:
        """Say whether a share keeps its limit, within three standard errors of the simulation."""
        error = 3 * math.sqrt(self.limit * (1 - self.limit) / repetitions)
        return share >= self.limit - error if self.at_least else share <= self.limit + error


ROWS = (
    Row("equal models", 0.0, 0.0, Action.ROLL_BACK.value, 0.01),
    Row("equal in safety, better AP", 0.0, 0.02, Action.ROLL_BACK.value, 0.01),
    Row("exactly at the margin, better AP", -MARGIN, 0.02, Action.PROMOTE.value, 0.05),
    Row("critical recall 2 points lower, better AP", -0.02, 0.02, Action.ROLL_BACK.value, 0.95, at_least=True),
    Row("better in both", 0.01, 0.02, Action.PROMOTE.value, 0.90, at_least=True),
)


def specification(drives: int) -> GateSpec:
    """Give the plan of the simulation: the margin of GATE's example, one superiority gate."""
    return GateSpec.model_validate(
        {
            "schema": "hilgui/gate.v1",
            "name": "simulated",
            "data": {"min_clusters": drives, "min_frames": 1},
            "gates": [
                {"id": "critical-recall", "metric": RECALL, "role": "non_inferiority", "margin": MARGIN,
                 "better": "higher"},
                {"id": "gain", "metric": GAIN, "role": "superiority", "better": "higher"},
            ],
        }
    )  # fmt: skip


def simulate(row: Row, drives: int, random: np.random.Generator) -> Evidence:
    """Make one campaign: paired figures of every drive, heavy-tailed as drives are."""
    parts = {}
    for metric, shift in ((RECALL, row.recall), (GAIN, row.gain)):
        base = np.clip(random.normal(0.9, 0.05, drives), 0, 1)
        tail = random.standard_t(6, drives) * SPREAD / math.sqrt(6 / 4)
        values = {Role.BASELINE: base, Role.CANDIDATE: base + shift + tail}
        pooled = {role: float(mine.mean()) for role, mine in values.items()}
        parts[metric] = Paired(metric, "", values, pooled)
    names = tuple(f"drive-{number}" for number in range(drives))
    return Evidence(names, names, drives * FRAMES, {}, (), {}, parts)


def actions(row: Row, drives: int, repetitions: int, seed: int) -> Counter[str]:
    """Count the decisions over many campaigns."""
    random = np.random.default_rng(seed)
    spec = specification(drives)
    return Counter(decide(spec, simulate(row, drives, random)).action.value for _ in range(repetitions))


def false_alarms(repetitions: int, drives: int, seed: int) -> dict[str, float]:
    """Give the share of campaigns of equal models in which each way calls the candidate worse at a nominal 5 %."""
    random = np.random.default_rng(seed)
    alarms: Counter[str] = Counter()
    for _ in range(repetitions):
        own = random.normal(0, SPREAD, drives)
        blocks = random.normal(0, WITHIN, (drives, FRAMES // 50)).repeat(50, axis=1)
        frames = own[:, None] + blocks + random.normal(0, WITHIN, (drives, FRAMES))
        means = frames.mean(axis=1)
        alarms["frames resampled (bootstrap)"] += _bootstrap_says_worse(frames.ravel(), random)
        alarms["drives resampled (percentile bootstrap)"] += _bootstrap_says_worse(means, random)
        alarms["Student's t on drives"] += bool(stats.ttest_1samp(means, 0, alternative="less").pvalue < 0.05)
        alarms["Student's t after every drive from the fifth on"] += any(
            stats.ttest_1samp(means[:seen], 0, alternative="less").pvalue < 0.05 for seen in range(5, drives + 1)
        )
        alarms["confidence sequence after every drive"] += _sequence_says_worse(means)
    return {name: count / repetitions for name, count in alarms.items()}


def _bootstrap_says_worse(values: NDArray[np.float64], random: np.random.Generator, resamples: int = 300) -> bool:
    if len(values) > 1000:  # the mean of a resample of many values is normal: the same interval without the work
        return bool(values.mean() + 1.645 * values.std() / math.sqrt(len(values)) < 0)
    picks = random.integers(0, len(values), (resamples, len(values)))
    return bool(np.quantile(values[picks].mean(axis=1), 0.95) < 0)


def _sequence_says_worse(means: NDArray[np.float64]) -> bool:
    from hilgui.gate.statistics import upper_sequence

    return bool((upper_sequence(means, 0.05, len(means))[4:] < 0).any())


def report(repetitions: int, drives: int, seed: int) -> tuple[list[str], bool]:
    """Simulate every row; give the lines of the table and whether all limits were kept."""
    lines = [
        f"{repetitions:,} campaigns a row, {drives} drives each, margin {MARGIN}, spread between drives {SPREAD}, "
        f"seed {seed}.",
        "",
        "| the candidate is really | PROMOTE | HOLD | ROLL BACK | INCONCLUSIVE | asked | kept |",
        "|---|---|---|---|---|---|---|",
    ]
    all_kept = True
    for row in ROWS:
        counts = actions(row, drives, repetitions, seed)
        share = counts[row.asked] / repetitions
        kept = row.keeps(share, repetitions)
        all_kept &= kept
        cells = " | ".join(f"{counts[action.value] / repetitions:.1%}" for action in _ORDER)
        asked = f"{row.asked} {'≥' if row.at_least else '≤'} {row.limit:.0%}"
        lines.append(f"| {row.name} | {cells} | {asked} | {'yes' if kept else 'NO'} |")
    lines += ["", "| equal models, called worse at a nominal 5 % | false alarms |", "|---|---|"]
    lines += [f"| {name} | {share:.1%} |" for name, share in false_alarms(repetitions, drives, seed).items()]
    return lines, all_kept


_ORDER = (Action.PROMOTE, Action.HOLD, Action.ROLL_BACK, Action.INCONCLUSIVE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; end with 1 where a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--drives", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20240607)
    parser.add_argument("--write", action="store_true", help="renew the table in docs/gate.md")
    call = parser.parse_args(arguments)
    started = time.monotonic()
    lines, all_kept = report(call.repetitions, call.drives, call.seed)
    print("\n".join(lines))
    print(f"\n{time.monotonic() - started:.0f} s")
    if call.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        head, tail = text.split(START)[0], text.split(END)[1]
        DOCUMENT.write_text(f"{head}{START}\n{chr(10).join(lines)}\n{END}{tail}", encoding="utf-8")
    return 0 if all_kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
