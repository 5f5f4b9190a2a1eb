"""Measures the tables of docs/robustness.md and docs/attacks.md and writes them into these.

    python docs/make_robustness.py [TABLE...]

Without names all of them. Answered from the store where a call was measured before, gone on with where it was
stopped. Real models and pictures come from HILGUI_TEST_DATA or ../shared/data; without them their tables stay as they
are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attack_tables

ROOT = Path(__file__).resolve().parent.parent
PAGE, ATTACKS = ROOT / "docs" / "robustness.md", ROOT / "docs" / "attacks.md"
DATA = Path(os.environ.get("HILGUI_TEST_DATA") or ROOT.parent / "shared" / "data")
CLASSES = ("person", "cyclist")  # of the demo, at night the candidate's weakness


@dataclass(frozen=True)
class Table:
    """One table: its place in the page, what is said above it, the call that makes it."""

    name: str
    words: str
    call: tuple[str, ...]
    classes: tuple[str, ...] = ()


TABLES = (
    Table(
        "demo",
        "Demo drives day, dusk and night; demo baseline (B) and candidate (C)",
        (
            *(f"assets/demo/{name}.mp4" for name in ("day", "dusk_rain", "night")),
            *("--model", "assets/demo/baseline.onnx", "--candidate", "assets/demo/candidate.onnx"),
            *("--suite", "all", "--frames", "10"),
        ),
    ),
    Table(
        "dark",
        "Demo drive day in low light; demo baseline (B) and candidate (C), whose night frames showed no people",
        (
            *("assets/demo/day.mp4", "--model", "assets/demo/baseline.onnx"),
            *("--candidate", "assets/demo/candidate.onnx", "--corruption", "low_light", "--frames", "100"),
        ),
        CLASSES,
    ),
    Table(
        "coco",
        "Pictures of COCO val2017; YOLOX-nano (B) and DEIMv2-atto (C)",
        (
            *("../shared/data/images_gt/coco_val2017_100/images",),
            *("--truth", "../shared/data/images_gt/coco_val2017_100/instances_val2017_100.json"),
            *("--model", "../shared/data/models/yolox_nano_416.onnx"),
            *("--candidate", "../shared/data/models/deimv2_atto_coco_320.onnx"),
            *("--severity", "1,3,5", "--no-search"),
        ),
    ),
)


def measured(table: Table) -> dict[str, Any]:
    """Run the command; give its document."""
    words = [word.replace("../shared/data", str(DATA)) for word in table.call]
    command = [sys.executable, "-m", "hilgui", "robustness", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def in_markdown(table: Table, result: dict[str, Any]) -> str:
    """Write figures and heat map."""
    frames = sum(drive["frames"] for drive in result["drives"])
    lines = [
        f"{table.words}: {result['measure']}, {frames} frames.",
        "",
        f"    hilgui robustness {' '.join(table.call)}",
        "",
    ]
    roles = [model["role"] for model in result["models"]]
    lines += ["| | " + " | ".join([*roles, "candidate − baseline"]) + " |", "|---|" + "---:|" * (len(roles) + 1)]
    for name in ("clean", "mPC", "rPC"):
        found = {one["role"]: one for one in result["headlines"] if one["name"] == name}
        lines.append(f"| {name} | " + " | ".join(figure(found.get(role)) for role in (*roles, None)) + " |")
    columns = [f"{role[0].upper()} {column}" for role in roles for column in (*result["columns"], "lost at")]
    lines += ["", "| corruption | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    cells = {(one["row"], one["column"], one["role"]): one for one in result["cells"]}
    tippings = {(one["row"], one["role"]): one for one in result["tippings"]}
    for row in result["rows"]:
        words = []
        for role in roles:
            words += [number(cells[row, column, role]["value"]) for column in result["columns"]]
            words.append(tipping(tippings.get((row, role))))
        lines.append(f"| {row} | " + " | ".join(words) + " |")
    if table.classes:
        lines += ["", *by_class(table, result, cells, roles)]
    return "\n".join(lines)


def by_class(table: Table, result: dict[str, Any], cells: dict[Any, Any], roles: list[str]) -> list[str]:
    """Write low light by class, where the candidate's weakness lies."""
    columns = ["", *result["columns"]]
    lines = ["Low light, by class:", "", "| class, model | clean | " + " | ".join(result["columns"]) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for label in table.classes:
        for role in roles:
            found = [cells["clean", "", role], *(cells["low_light", column, role] for column in result["columns"])]
            lines.append(
                f"| {label}, {role} | " + " | ".join(number(one["by_class"].get(label)) for one in found) + " |"
            )
    return lines


def figure(one: dict[str, Any] | None) -> str:
    """Write a figure over the whole with its interval."""
    if one is None or one["value"] is None:
        return "–"
    return attack_tables.figure(one["value"], one["interval"], "+" if one["role"] is None else "")


def tipping(one: dict[str, Any] | None) -> str:
    """Write where the first critical object is lost; ~ stands for not monotone."""
    if one is None:
        return ""
    return "never" if one["severity"] is None else f"{one['severity']:.2f}{'' if one['is_monotone'] else ' ~'}"


def number(value: float | None) -> str:
    """Write a value of the heat map."""
    return "–" if value is None else f"{value:.2f}".removeprefix("0")


def put(page: Path, name: str, text: str) -> None:
    """Write a table into its place."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Renew the tables that are named, or every one, whose data is there."""
    known = [*(table.name for table in TABLES), "attacks"]
    names = sys.argv[1:] or known
    if strange := set(names) - set(known):
        sys.exit(f"no table {', '.join(sorted(strange))}; there are {', '.join(known)}")
    for table in (one for one in TABLES if one.name in names):
        if "../shared/data" in " ".join(table.call) and not DATA.is_dir():
            sys.stderr.write(f"{table.name}: no data in {DATA}; its table stays\n")
            continue
        put(PAGE, table.name, in_markdown(table, measured(table)))
    if "attacks" in names and not DATA.is_dir():
        sys.stderr.write(f"attacks: no data in {DATA}; their tables stay\n")
    elif "attacks" in names:
        for name, text in attack_tables.tables(ROOT, DATA):
            put(ATTACKS, name, text)


if __name__ == "__main__":
    main()
