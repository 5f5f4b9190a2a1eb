"""Measures the tables of docs/attacks.md; docs/make_robustness.py writes them into it.

A call is answered from the store where it was made before with the same model. White-box attacks need the extra
`attacks`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.robustness import results_root
from hilgui.settings import load_settings

COCO = "../shared/data/images_gt/coco_val2017_100"
LABELS = ("--truth", f"{COCO}/instances_val2017_100.json")
DAY, BASELINE, CANDIDATE = (f"assets/demo/{name}" for name in ("day.mp4", "baseline.onnx", "candidate.onnx"))
YOLOX, DEIM, SHUFFLE = (
    f"../shared/data/models/{name}.onnx" for name in ("yolox_nano_416", "deimv2_atto_coco_320", "shufflenet_v2_12_int8")
)
NAMES = {
    BASELINE: "demo baseline",
    CANDIDATE: "demo candidate",
    YOLOX: "YOLOX-Nano",
    DEIM: "DEIMv2-Atto",
    SHUFFLE: "ShuffleNet v2 int8",
}


@dataclass(frozen=True)
class Attack:
    """One call of `hilgui attack`."""

    method: str
    model: str
    more: tuple[str, ...]  # what is asked besides pictures and labels

    @property
    def call(self) -> tuple[str, ...]:
        """Give the words after `hilgui`."""
        is_demo, is_classifier = self.model.startswith("assets"), self.model == SHUFFLE
        pictures = (DAY,) if is_demo else (f"{COCO}/images",) if is_classifier else (f"{COCO}/images", *LABELS)
        return ("attack", self.method, self.model, *pictures, *self.more)


FEW = ("--count", "25")
CREATE, CHANGE = (*FEW, "--goal", "create", "--class", "person"), (*FEW, "--goal", "change")
HIDING = (
    Attack("fgsm", YOLOX, ("--count", "100")),
    Attack("pgd", BASELINE, FEW),
    Attack("pgd", CANDIDATE, (*FEW, "--defences", "--baseline", BASELINE)),
    Attack("pgd", YOLOX, (*FEW, "--defences", "--baseline", DEIM)),
    Attack("pgd", DEIM, FEW),
    Attack("pgd", SHUFFLE, ("--count", "40")),
    Attack("fgsm", SHUFFLE, (*FEW, "--defences", "--certified", "8", "--sigma", "0.1")),
)
FORGING = tuple(Attack("pgd", model, more) for more in (CREATE, CHANGE) for model in (CANDIDATE, YOLOX, DEIM))
SQUARES = tuple(Attack("square", model, (*FEW, "--queries", "200")) for model in (CANDIDATE, YOLOX, SHUFFLE))
PATCHES = tuple(Attack("patch", model, ("--count", "100", "--tries", "200")) for model in (CANDIDATE, YOLOX))

Found = list[tuple[Attack, dict[str, Any]]]


def tables(root: Path, data: Path) -> Iterator[tuple[str, str]]:
    """Measure and write every table, each with the name of its place; real models are left out without their data."""
    for attacks, writers in (
        (HIDING, {"hiding": hiding, "defences": defences, "certified": certified}),
        (FORGING, {"forging": forging}),
        (SQUARES, {"squares": squares}),
        (PATCHES, {"patches": patches}),
    ):
        found = [(attack, measured(attack, root, data)) for attack in attacks]
        yield from ((name, write(found)) for name, write in writers.items())


def measured(attack: Attack, root: Path, data: Path) -> dict[str, Any]:
    """Give the document of a call, made now where it is not stored."""

    def placed(word: str) -> str:
        return word.replace("../shared/data", str(data))

    model = (root / placed(attack.model)).read_bytes()
    digest = hashlib.sha256(json.dumps(attack.call).encode() + model).hexdigest()[:10]
    folder = results_root(load_settings().home) / f"attacks-docs-{Path(attack.model).stem}-{attack.method}-{digest}"
    if not (folder / "attack.json").is_file():
        words = [placed(word) for word in attack.call]
        command = [sys.executable, "-m", "hilgui", *words, "--out", str(folder), "--json"]
        done = subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 3):
            raise SystemExit(f"hilgui {' '.join(words)} ended with {done.returncode}")
    document: dict[str, Any] = json.loads((folder / "attack.json").read_bytes())
    return document


def hiding(found: Found) -> str:
    """Write what is left under noise, FGSM and PGD."""
    rows = [
        (NAMES[attack.model], asked(attack), *values(made, "clean", "noise", "fgsm", "pgd"), checks(made))
        for attack, made in found
    ]
    return table(("AP .50:.95, or accuracy", "call", "clean", "noise", "FGSM", "PGD", "self-check"), rows)


def squares(found: Found) -> str:
    """Write what is left under noise and Square."""
    rows = [
        (NAMES[attack.model], asked(attack), *values(made, "clean", "noise", "square"), checks(made))
        for attack, made in found
    ]
    return table(("AP .50:.95, or accuracy", "call", "clean", "noise", "Square", "self-check"), rows)


def forging(found: Found) -> str:
    """Write which share of the attempts to create or change an object worked."""
    rows = []
    for attack, made in found:
        conditions = {one["name"]: one for one in made["conditions"]}
        told = [
            figure(one["success"], one["success_interval"])
            for one in map(conditions.get, ("noise", "fgsm", "pgd"))
            if one
        ]
        at_stake = str(conditions["clean"]["at_stake"])
        rows.append((NAMES[attack.model], asked(attack), at_stake, *told, checks(made)))
    return table(("share that worked", "call", "of", "noise", "FGSM", "PGD", "self-check"), rows)


def defences(found: Found) -> str:
    """Write what each defence costs and wins back."""
    rows = []
    for attack, made in found:
        if not made["defences"]:
            continue
        conditions = {one["name"]: one for one in made["conditions"]}
        clean, after = conditions["clean"], conditions[attack.method]
        whose = f"{NAMES[attack.model]}, {attack.method.upper()}"
        rows.append((whose, "none", figure(clean["value"]), "", figure(after["value"], after["interval"]), "0"))
        for one in made["defences"]:
            cost, left = one["clean"]["change"], one["attacked"]
            rows.append((
                "", one["name"], figure(one["clean"]["value"]),
                f"[{cost['low']:+.3f}, {cost['high']:+.3f}]",
                figure(left["value"], left["interval"]), f"{one['ms_per_picture']:,.1f}",
            ))  # fmt: skip
    return table(("model, attack", "defence", "clean", "cost", "attacked", "ms more"), rows)


def certified(found: Found) -> str:
    """Write what randomised smoothing certifies."""
    lines = []
    for attack, made in found:
        one = made["smoothing"]
        if one is None:
            continue
        radius, size = one["median_radius"] or 0.0, one["l2_of_attack"]
        share = figure(one["agreeing"] / one["pictures"], one["interval"])
        lines.append(
            f"{NAMES[attack.model]} under {attack.method.upper()}, randomised smoothing with σ = {one['sigma']:g}: "
            f"{one['agreeing']} of {one['pictures']} attacked pictures are answered as clean ({share}), "
            f"{one['abstained']} abstain; median certified radius {radius:.2f} (L2 of 0..1 pixels), which "
            f"{'covers' if radius >= size else 'does not cover'} an attack of size {size:.1f}; "
            f"{one['ms_per_picture']:,.0f} ms a picture."
        )
    return "\n\n".join(lines)


def patches(found: Found) -> str:
    """Write how many objects each patch hides, and what is sure about the difference."""
    rows = []
    for attack, made in found:
        lost = [figure(one["rate"], one["interval"]) for one in made["worn"]]
        more = [f"{figure(one['difference'], one['interval'], '+')}, p = {one['p']:.2g}" for one in made["gains"]]
        verdict = {True: "hides more", False: "TOO WEAK", None: "may be chance"}[made["check"]["is_good"]]
        rows.append((NAMES[attack.model], asked(attack), str(made["worn"][0]["at_stake"]), *lost, *more, verdict))
    head = ("share of persons lost", "call", "of", "grey", "random", "optimised", "− grey", "− random", "verdict")
    return table(head, rows)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def asked(attack: Attack) -> str:
    """Write what was asked, without pictures and labels."""
    words = [Path(word).name if word in NAMES else word for word in attack.more]
    return f"`{' '.join((attack.method, *words))}`"


def values(made: dict[str, Any], *names: str) -> list[str]:
    """Write AP or accuracy under some conditions."""
    conditions = {one["name"]: one for one in made["conditions"]}
    return [figure(conditions[name]["value"], conditions[name]["interval"]) for name in names]


def checks(made: dict[str, Any]) -> str:
    """Say whether the self-check holds, and where it does not."""
    broken = [
        f"{one['name']}: {'NO' if one['is_good'] is False else 'cannot be told'}"
        for one in made["checks"]
        if not one["is_good"]
    ]
    return "; ".join(broken) or "holds"


def figure(value: float | None, interval: dict[str, Any] | None = None, sign: str = "") -> str:
    """Write a figure with its interval."""
    text = "–" if value is None else f"{value:{sign}.3f}"
    return text if interval is None else f"{text} [{interval['low']:{sign}.3f}, {interval['high']:{sign}.3f}]"
