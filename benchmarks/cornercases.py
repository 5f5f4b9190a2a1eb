"""Measure what the search for corner cases costs: µs of processor time a frame at 5, 20 and 50 objects.

    python benchmarks/cornercases.py [--frames 600] [--run RUN_FOLDER] [--json]

Synthetic drive (seeded) with labels and two models that lose some objects, tremble, and invent some; or the frames of
a stored run. Limit: 500 µs at 20 objects. The digest is that of all findings: it must not change when the code becomes
faster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from hilgui.cornercases import Watch, Watches
from hilgui.records import Finding, Moment
from hilgui.report.evaluate import Changes, Rejudged
from hilgui.store import RunReader
from hilgui.store.codec import finding_json
from tests.unit.cornercases.drive import CAR, HEIGHT, PERSON, WIDTH, B, C, Known, context, moment

OBJECTS = (5, 20, 50)
LIMIT_US = 500.0  # at 20 objects
ROUNDS = 8


def main() -> int:
    """Print the measurements; 1 where the limit at 20 objects is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--run", type=Path, help="judge the frames of a stored run")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.run is not None:
        results = {"run": of_run(given.run)}
    else:
        results = {str(count): measured(lambda: Watch(context()), synthetic(given.frames, count)) for count in OBJECTS}
    if given.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            show(name, result)
    middle = results.get("20")
    return int(middle is not None and middle["us_per_frame"] > LIMIT_US)


def show(name: str, result: dict[str, Any]) -> None:
    """Print one measurement."""
    cost = result["us_per_frame"]
    print(
        f"{name:>4} objects: {cost:7.0f} µs a frame, {cost / LIMIT_US:.2f} × the limit; "
        f"{result['findings']} findings, digest {result['digest']}"
    )
    print("     " + ", ".join(f"{part} {us:.0f}" for part, us in result["parts"].items() if us >= 1.0))


def of_run(folder: Path) -> dict[str, Any]:
    """Judge a stored run of one camera, with the limits that it had."""
    with closing(RunReader(folder)) as reader:
        again = Rejudged(reader, Changes())
        moments = list(again.moments())
        return measured(again.watches, moments)


def measured(make: Callable[[], Watch | Watches], moments: list[Moment]) -> dict[str, Any]:
    """Give the best of some rounds, and what each part took in rounds of their own."""
    best, findings = float("inf"), list[Finding]()
    for _ in range(ROUNDS):
        watch, findings = make(), []
        began = time.process_time()
        for each in moments:
            findings += watch.look(each).closed
        findings += watch.finish()
        best = min(best, time.process_time() - began)
    return {
        "us_per_frame": best / len(moments) * 1e6,
        "findings": len(findings),
        "digest": digest(findings),
        "parts": parts(make, moments),
    }


def digest(findings: list[Finding]) -> str:
    """Hash everything that is told about the findings."""
    text = json.dumps([finding_json(each) for each in findings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parts(make: Callable[[], Watch | Watches], moments: list[Moment]) -> dict[str, float]:
    """Tell µs a frame of each part, without what it asks other parts for; the least of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        stopwatch = Stopwatch()
        watch = make()
        for each in [watch] if isinstance(watch, Watch) else vars(watch)["_watches"].values():
            stopwatch.inside(each)
        for one in moments:
            watch.look(one)
        rounds.append(stopwatch.spent)
    least = {name: min(each[name] for each in rounds) / len(moments) * 1e6 for name in rounds[0]}
    return dict(sorted(least.items(), key=lambda part: -part[1]))


class Stopwatch:
    """Times functions that call each other; what one spends in another that is timed too is the other's."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since = 0.0

    def inside(self, watch: Watch) -> None:
        """Time a watch, its detectors and what these share: looked at from inside, as nobody else needs to."""
        known = vars(watch)
        for name, detector in known["_detectors"].items():
            self._time(name, detector, "look")
        for name, (owner, method) in {
            "rest of the watch": (watch, "look"),
            "merging": (known["_merger"], "take"),
            "calendar": (known["_merger"].calendar, "turn"),
            "shifts": (known["_shifts"], "note"),
            "labels asked for": (labelling := vars(known["_shifts"])["_labelling"], "_ask"),
            "grading": (grading := vars(labelling)["_grading"], "_work_out"),
            "criticality": (meter := vars(grading)["_meter"], "judge"),
            "heights": (vars(meter)["_heights"][None], "growth"),
            "labels followed": (vars(grading)["_threads"], "_name"),
            "models followed": (vars(grading)["_following"], "_follow"),
        }.items():
            self._time(name, owner, method)

    def _time(self, name: str, owner: object, method: str) -> None:
        function = getattr(owner, method)

        def timed(*given: Any) -> Any:
            self._charge()
            self._running.append(name)
            result = function(*given)
            self._charge()
            self._running.pop()
            return result

        setattr(owner, method, timed)

    def _charge(self) -> None:
        now = time.process_time()
        if self._running:
            self.spent[self._running[-1]] += now - self._since
        self._since = now


def synthetic(frames: int, objects: int, seed: int = 7) -> list[Moment]:
    """Make a drive: objects walk about, each model sees most of them and now and then one that is not there."""
    rng = np.random.default_rng(seed)
    place = rng.uniform((0, 100), (WIDTH - 60, HEIGHT - 120), (objects, 2))
    size = rng.uniform((12, 24), (60, 110), (objects, 2))
    speed, classes = rng.normal(0, 1.5, (objects, 2)), rng.choice((PERSON, CAR), objects)
    drive = []
    for seq in range(frames):
        place = np.mod(place + speed, (WIDTH - 60, HEIGHT - 110))
        boxes = np.hstack([place, place + size])
        truth = [
            Known(int(classed), tuple(box), track=nth, distance_m=1500.0 / (box[3] - box[1]))
            for nth, (box, classed) in enumerate(zip(boxes.tolist(), classes, strict=True))
        ]
        seen = {}
        for role in (B, C):
            shown = rng.random(objects) > 0.04
            moved = boxes + rng.normal(0, 1.0, boxes.shape)
            scores = rng.uniform(0.45, 0.95, objects)
            faint = rng.uniform(0.01, 0.35, objects)
            rows = np.where(shown, scores, faint)
            found = [
                (int(classed), tuple(box), float(score))
                for classed, box, score in zip(classes, moved.tolist(), rows, strict=True)
            ]
            if rng.random() < 0.1:
                x, y = rng.uniform((0, 200), (WIDTH - 60, HEIGHT - 120))
                found.append((CAR, (x, y, x + 50, y + 40), 0.7))
            seen[role] = sorted(found, key=lambda each: -each[2])
        drive.append(moment(seq, truth=truth, seen=seen))
    return drive


if __name__ == "__main__":
    raise SystemExit(main())
