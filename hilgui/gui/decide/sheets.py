"""The tables of the Decide page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hilgui.evidence import Recorded
from hilgui.gui.decide.forest import LOOKS
from hilgui.gui.linked_table import Cell, number
from hilgui.records import Action, Decision

Rows = tuple[tuple[str, ...], list[tuple[Cell, ...]]]
Say = Callable[[str], str]

ACTIONS = {
    Action.PROMOTE: ("good", "✓"),
    Action.HOLD: ("warning", "■"),
    Action.ROLL_BACK: ("missed", "✕"),
    Action.INCONCLUSIVE: ("warning", "?"),
}
"""Colour and sign of a decision."""


def plan_rows(tr: Say, decision: Decision) -> Rows:
    """Say what each gate measured and how many drives it takes."""
    titles = (tr("Gate"), tr("Baseline"), tr("Candidate"), tr("Margin"), tr("Spread"), tr("Drives if equal"),
        tr("Drives as seen"), tr("Smallest shown"), tr("Verdict"))  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in decision.gates:
        colour, sign = LOOKS[one.verdict]
        counts = (one.drives_needed, one.drives_needed_as_seen)
        rows.append(
            (
                Cell(one.id, one, tip=one.metric),
                *(number(_figure(value)) for value in (one.baseline, one.candidate, one.margin)),
                number(_figure(one.deviation)),
                *(number("–" if value is None else f"{value:,}") for value in counts),
                number(_figure(one.smallest_detectable)),
                Cell(f"{sign} {one.verdict.value}", colour=colour),
            )
        )
    return titles, rows


def invariant_rows(tr: Say, decision: Decision) -> Rows:
    """Say what must hold, and whether it does."""
    titles = (tr("Invariant"), tr("Metric"), tr("Measured"), tr("Limit"), tr("Holds"))
    words = {True: ("good", tr("✓ holds")), False: ("missed", tr("✕ broken")), None: ("warning", tr("? not measured"))}
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(one.id),
            Cell(one.metric),
            number(_figure(one.measured)),
            number(one.limit),
            Cell(words[one.holds][1], colour=words[one.holds][0]),
        )
        for one in decision.invariants
    ]
    return titles, rows


def slice_rows(tr: Say, decision: Decision) -> Rows:
    """Say which parts of the data lost or gained, the largest loss first."""
    titles = (tr("Slice"), tr("Metric"), tr("Objects"), tr("Drives"), tr("Difference"), tr("Interval"), tr("p worse"),
        tr("Finding"))  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in sorted(decision.slices, key=lambda each: each.p_worse):
        word, colour = (tr("✕ lost"), "missed") if one.significant else (tr("not significant"), "text_soft")
        rows.append(
            (
                Cell(one.name),
                Cell(one.metric),
                number(f"{one.objects:,}"),
                number(f"{one.drives}"),
                number(f"{one.difference:+.3g}"),
                number(f"{one.low:+.3g} … {one.high:+.3g}"),
                number(f"{one.p_worse:.2g}"),
                Cell(word, colour=colour),
            )
        )
    return titles, rows


def bench_rows(tr: Say, decision: Decision, notes: Sequence[str]) -> Rows:
    """Say whether the bench was sound, about which models and runs."""
    rows: list[tuple[Cell, ...]] = [(Cell(tr("✕ broken"), colour="missed"), Cell(one)) for one in decision.integrity]
    if not rows:
        rows.append((Cell(tr("✓ sound"), colour="good"), Cell(tr("both models saw the same frames of every drive"))))
    rows += [(Cell(role), Cell(model)) for role, model in sorted(decision.models.items())]
    rows += [(Cell(tr("note")), Cell(one)) for one in notes]
    rows += [(Cell(tr("run"), one), Cell(one, one)) for one in decision.runs]
    return (tr("Bench"), tr("What")), rows


def past_rows(tr: Say, past: Sequence[Recorded]) -> Rows:
    """List recorded decisions."""
    titles = (tr("Action"), tr("Signed"), tr("Decision"), tr("Stage"), tr("By"), tr("Sentence"))
    rows: list[tuple[Cell, ...]] = []
    for one in past:
        colour, sign = ACTIONS[one.action]
        rows.append(
            (
                Cell(f"{sign} {one.action.value}", one, colour=colour),
                Cell(signed(tr, one), one, colour="good" if one.is_agreed else "warning"),
                Cell(one.id, one),
                Cell(str(one.plain["stage"]), one),
                Cell(str(one.plain["by"]), one),
                Cell(str(one.plain["decision"]["sentence"]), one),
            )
        )
    return titles, rows


def signed(tr: Say, one: Recorded) -> str:
    """Say who has signed, and how many are asked for."""
    names = ", ".join(one.agreed)
    if not one.people_needed:
        return names or tr("none needed")
    words = tr("{0} of {1}").format(len(one.agreed), one.people_needed)
    return f"{words}: {names}" if names else words


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
