"""The report of a decision: the word, why, what next; then gates with intervals and margins, slices, clips, plan."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from hilgui import __version__
from hilgui.errors import CallWrong
from hilgui.records import Action, GateVerdict
from hilgui.report.charts import Estimate, forest
from hilgui.report.document import Charts, Document, Facts, Section, Sentences, Table, Verbatim
from hilgui.report.shown import attestation, between, figure, signed, worst_pictures
from hilgui.report.words import Statement, Tone
from hilgui.store import RunReader

SCHEMA = "hilgui/decision.v1"
_TONES = {Action.PROMOTE: "good", Action.ROLL_BACK: "missed"}
_COLOURS = {GateVerdict.PASSED: "good", GateVerdict.HARM: "missed", GateVerdict.WORSE: "warning"}
_SAID = {GateVerdict.PASSED: Tone.BETTER, GateVerdict.HARM: Tone.WORSE, GateVerdict.WORSE: Tone.WORSE}
_HOLDS = {True: "holds", False: "BROKEN", None: "not measured"}
_ASKED = {"non_inferiority": "not worse", "superiority": "better"}
_DIGITS = 4


def decision_document(
    decision: dict[str, Any], readers: Sequence[RunReader] = (), recorded: dict[str, Any] | None = None
) -> Document:
    """Build the report of a decision from its JSON; raises CallWrong where that is no decision.

    `readers` are those of its runs that are at hand: their worst clips and attestation are shown. `recorded` is the
    stored decision around it (who, when, agreed by whom, the plan), None for what `hilgui gate --json` printed.
    """
    try:
        return _document(decision, readers, recorded or {})
    except (KeyError, TypeError, ValueError) as failure:
        raise CallWrong(
            f"this is no decision as `hilgui gate --json` prints it ({failure!r}); make it again with this hilgui"
        ) from failure


def _document(decision: dict[str, Any], readers: Sequence[RunReader], recorded: dict[str, Any]) -> Document:
    if decision["schema"] != SCHEMA:
        raise ValueError(f"schema {decision['schema']!r}")
    action = Action(decision["action"])
    unit, drives = str(decision["unit"]), int(decision["drives"])
    told = [recorded["id"], f"recorded {recorded['at'][:16].replace('T', ' ')} by {recorded['by']}"] if recorded else []
    return Document(
        title=str(decision["specification"]),
        subtitle=" · ".join(["Decision about a candidate model", *map(str, told)]),
        word=action.value,
        tone=_TONES.get(action, "warning"),
        lead=str(decision["sentence"]),
        why=tuple(_why(decision)),
        next_steps=tuple(str(step) for step in recorded.get("next_steps", decision["next_steps"])),
        figures=(
            ("drives", f"{drives:,}"),
            ("judged frames", f"{int(decision['frames']):,}"),
            ("unit of the statistics", unit),
            ("agreed", _agreed(decision, recorded)),
        ),
        sections=tuple(_sections(decision, readers, recorded)),
        footer=f"Plan {decision['specification']} {decision['specification_sha256'][:12]}; by hilgui {__version__}",
        chart=_chart(decision["gates"]),
    )


def _chart(gates: Sequence[dict[str, Any]]) -> Charts | None:
    rows = [row for gate in gates if (row := _estimate(gate)) is not None]
    note = "Each difference in units of its margin: left of the dashed line the loss is larger than was agreed."
    return Charts((forest(rows, in_margins=True),), note) if rows else None


def _agreed(decision: dict[str, Any], recorded: dict[str, Any]) -> str:
    needed = int(recorded.get("people_needed", decision["signatures_needed"]))
    agreed = [str(name) for name in recorded.get("agreed", ())]
    return f"{len(agreed)} of {needed}" + (f" ({', '.join(agreed)})" if agreed else "") if needed else "not needed"


def _why(decision: dict[str, Any]) -> Iterator[Statement]:
    by_gate = {str(one["id"]): GateVerdict(one["verdict"]) for one in decision["gates"]}
    for broken in decision["integrity"]:
        yield Statement(f"The bench: {broken}", Tone.WORSE)
    for reason in decision["reasons"]:
        verdict = by_gate.get(str(reason).partition(":")[0])
        tone = Tone.NOTE if verdict is None else _SAID.get(verdict, Tone.NOTE)
        is_broken = str(reason).startswith(("invariant ", "slice "))
        yield Statement(str(reason), Tone.WORSE if is_broken and decision["action"] != Action.INCONCLUSIVE else tone)


def _sections(decision: dict[str, Any], readers: Sequence[RunReader], recorded: dict[str, Any]) -> Iterator[Section]:
    yield Section("Gates", (_gates(decision["gates"]),))
    if decision["invariants"]:
        yield Section("What must hold", (_invariants(decision["invariants"]),))
    if decision["slices"]:
        yield Section("Slices", (_slices(decision["slices"]),))
    pictures = worst_pictures((reader, finding) for reader in readers for finding in reader.findings())
    if pictures is not None:
        yield Section("The worst clips", (pictures,))
    if recorded.get("loosened"):
        yield Section("Looser than the plan before", (Sentences(tuple(map(str, recorded["loosened"]))),))
    yield _basis(decision, recorded)
    if readers:
        yield attestation(readers[:1])
    notes = [*recorded.get("notes", ()), *decision.get("notes", ())]
    if notes:
        yield Section("Notes", (Sentences(tuple(dict.fromkeys(map(str, notes)))),))
    if recorded.get("specification"):
        plain = json.dumps(recorded["specification"], indent=1, ensure_ascii=False, sort_keys=True)
        yield Section("Settings: the plan", (Verbatim(plain),))


def _estimate(gate: dict[str, Any]) -> Estimate | None:
    """Turn a gate's difference so that right is better."""
    if gate["difference"] is None:
        return None
    way = 1.0 if gate["better"] == "higher" else -1.0
    low, high = (math.nan if gate[end] is None else float(gate[end]) * way for end in ("low", "high"))
    verdict = GateVerdict(gate["verdict"])
    return Estimate(
        name=str(gate["id"])[:30],
        value=float(gate["difference"]) * way,
        low=min(low, high) if low == low and high == high else math.nan,
        high=max(low, high) if low == low and high == high else math.nan,
        words=f"{signed(gate['difference'], _DIGITS)} {gate['unit']}  {verdict.value}"[:40],
        colour=_COLOURS.get(verdict, "text_faint"),
        margin=None if gate["margin"] is None else float(gate["margin"]),
    )


def _gates(gates: Sequence[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            f"{gate['id']}: {_ASKED[gate['role']]}", f"{gate['metric']} {gate['unit']}".strip(),
            figure(gate["baseline"], _DIGITS), figure(gate["candidate"], _DIGITS), signed(gate["difference"], _DIGITS),
            between(gate["low"], gate["high"], _DIGITS), figure(gate["margin"], _DIGITS), str(gate["verdict"]),
            "–" if gate["drives_needed"] is None else f"{gate['drives_needed']:,}",
        )
        for gate in gates
    )  # fmt: skip
    columns = (
        "gate",
        "metric",
        "baseline",
        "candidate",
        "difference",
        "interval",
        "margin",
        "verdict",
        "drives needed",
    )
    note = "Differences are candidate minus baseline; drives needed: for a power of 80 % if the candidate is as good."
    return Table(columns, rows, frozenset({2, 3, 4, 5, 6, 8}), note)


def _invariants(invariants: Sequence[dict[str, Any]]) -> Table:
    rows = tuple(
        (str(one["id"]), str(one["metric"]), str(one["limit"]), figure(one["measured"], _DIGITS), _HOLDS[one["holds"]])
        for one in invariants
    )
    return Table(("invariant", "metric", "limit", "measured", ""), rows, frozenset({3}))


def _slices(slices: Sequence[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            str(one["name"]), str(one["metric"]), f"{one['objects']:,}", f"{one['drives']:,}",
            signed(one["difference"], _DIGITS), between(one["low"], one["high"], _DIGITS), f"{one['p_worse']:.2g}",
            "lost" if one["significant"] else "",
        )
        for one in sorted(slices, key=lambda one: (not one["significant"], one["difference"]))
    )  # fmt: skip
    columns = ("slice", "metric", "objects", "drives", "difference", "interval", "p (worse)", "")
    return Table(columns, rows, frozenset({2, 3, 4, 5, 6}), "Lost: significant after the correction over all slices.")


def _basis(decision: dict[str, Any], recorded: dict[str, Any]) -> Section:
    rows = [("plan sha256", str(decision["specification_sha256"])), ("seed", str(decision["seed"]))]
    rows += [(f"{role} sha256", str(sha256)) for role, sha256 in sorted(decision["models"].items())]
    if recorded:
        rows += [("decision sha256", str(recorded["sha256"])), ("stage", str(recorded["stage"]))]
        rows += [(f"run {one['run_id']}", f"results {one['results_sha256']}") for one in recorded["runs"]]
    else:
        rows += [("run", str(name)) for name in decision["runs"]]
    return Section("What it rests on", (Facts(tuple(rows)),))
