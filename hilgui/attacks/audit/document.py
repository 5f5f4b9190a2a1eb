"""The audit as a report, and as a result for the Robustness page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui import __version__
from hilgui.attacks.audit.finding import Audit, Finding, Severity, Status, from_plain
from hilgui.attacks.audit.run import kinds, reproduced
from hilgui.attacks.drawing import png
from hilgui.evaluation import Interval
from hilgui.records import ModelFacts, Role
from hilgui.report.document import Document, Facts, Part, Picture, Pictures, Section, Sentences, Table
from hilgui.report.words import Statement, Tone
from hilgui.robustness import (
    AUDIT,
    Cell,
    Check,
    Drive,
    Example,
    Headline,
    Result,
    Subject,
    picture_path,
    write_picture,
)

Pixels = NDArray[np.uint8]

_SHOWN = 12  # pictures
_MORE = "Audit again with more pictures (--count): of a probe of high severity it cannot be told whether it works."


def document_of(audit: Audit, folder: Path) -> Document:
    """Write the report: what stands, what closed, every probe by its class."""
    standing = audit.standing
    high = [one for one in standing if one.severity is Severity.HIGH]
    closed = [one for one in audit.findings if one.status is Status.CLOSED]
    lead = (
        f"{len(standing)} weaknesses stand, {len(high)} of high severity; {len(closed)} known before are closed; of "
        f"{len(audit.untold)} nothing can be told."
    )
    why = [Statement(f"{one.severity.value}: it {one.title} ({one.words}).", Tone.WORSE) for one in standing[:8]]
    unsure = [one for one in audit.untold if one.severity is Severity.HIGH]
    why += [
        Statement(f"{one.status.value}, high: whether it {one.title} ({one.words}).", Tone.NOTE) for one in unsure[:8]
    ]
    why += [Statement(f"closed: it no longer {one.title}.", Tone.BETTER) for one in closed[:4]]
    pictures = tuple(picture for one in standing if (picture := _picture(one, folder)) is not None)
    sections = [Section(kind.value, _section(found)) for kind, found in kinds(audit.findings).items() if found]
    if pictures:
        note = "Left the clean picture, right the changed one, with what the model shows in blue."
        sections.insert(0, Section("Pictures", (Pictures(pictures[:_SHOWN], note),)))
    facts = (
        ("model sha256", audit.model_sha256),
        ("audited before", audit.before or "never"),
        ("pictures", audit.pictures),
        ("suite, seed", f"{audit.suite}, {audit.seed}"),
        ("reproducers", "reproducers/<sha256>.npz in the folder of the audits: clean, changed, region"),
    )
    notes = (Sentences(audit.notes),) if audit.notes else ()
    sections.append(Section("Attestation", (Facts(facts), *notes)))
    return Document(
        title=f"Red-team audit of {audit.model}",
        subtitle=f"{audit.created} · suite {audit.suite} · {audit.pictures}",
        word="OPEN" if high else "NOT CONCLUSIVE" if audit.exit_code == 3 else "NO HIGH FINDING",
        tone="missed" if high else "warning" if audit.exit_code == 3 else "good",
        lead=lead,
        why=tuple(why),
        next_steps=(*tuple(dict.fromkeys(one.recommendation for one in standing))[:6], *([_MORE] if unsure else [])),
        figures=tuple(
            (status.value, str(sum(one.status is status for one in audit.findings)))
            for status in (Status.NEW, Status.OPEN, Status.CLOSED, Status.PASSED, Status.UNCLEAR, Status.NOT_RUN)
        ),
        sections=tuple(sections),
        footer=f"Audit of {audit.model_sha256[:16]}; report by hilgui {__version__}",
    )


def result_of(
    audit: Audit, facts: ModelFacts, source: Path, command: tuple[str, ...], frames: Mapping[int, Pixels]
) -> Result:
    """Write the audit as a result document: a row a probe, the rate at which it works."""
    role = Role.BASELINE
    cells = [
        Cell(one.id, "rate", role, one.rate, one.interval, one.trials)
        for one in audit.findings
        if one.status is not Status.NOT_RUN
    ]
    checks = [
        Check(f"{one.id} ({one.severity.value})", None if one in audit.untold else not one.is_standing,
              f"{one.status.value}: {one.title}; {one.words}" + (f"; {one.retest}" if one.retest else ""))
        for one in audit.findings
    ]  # fmt: skip
    return Result(
        kind=AUDIT,
        id=f"{AUDIT}-{facts.sha256[:10]}-{audit.created.replace(':', '').replace('+', '-')}",
        created=audit.created,
        version=__version__,
        title=f"Red-team audit of {audit.model}",
        question={
            "suite": audit.suite,
            "seed": audit.seed,
            "model": audit.model_sha256,
            "before": audit.before,
            "pictures": audit.pictures,
            "findings": {one.id: _told(one) for one in audit.findings},
        },
        command=command,
        models=(Subject(role, facts.name, facts.path, facts.sha256, facts.runs_on, "audited model"),),
        drives=(Drive(source.name, str(source), "", "", len(frames)),),
        measure="share of trials in which it works",
        rows=tuple(one.id for one in audit.findings),
        columns=("rate",),
        cells=tuple(cells),
        families={one.id: one.kind.value for one in audit.findings},
        better="lower",
        headlines=(
            Headline("open, high severity", role, sum(one.severity is Severity.HIGH for one in audit.standing),
                     better="lower"),
            Headline("open", role, len(audit.standing), better="lower"),
        ),
        checks=tuple(checks),
        notes=audit.notes,
        is_whole=True,
    )  # fmt: skip


def audit_of(result: Result) -> Audit | None:
    """Give the audit that `result_of` wrote, for the same report; None of an older version. Raises ValueError."""
    told = result.question.get("findings")
    if not told:
        return None
    (model,) = result.models
    rates = {one.row: one for one in result.cells}
    return from_plain(
        {
            "model": model.name,
            "model_sha256": model.sha256,
            "created": result.created,
            "version": result.version,
            "findings": [_found(told[row], row, result.families[row], rates.get(row)) for row in result.rows],
            "notes": result.notes,
            **{name: result.question[name] for name in ("pictures", "suite", "before", "seed")},
        }
    )


def _found(told: dict[str, Any], row: str, kind: str, cell: Cell | None) -> dict[str, Any]:
    trials = 0 if cell is None else cell.count
    hits = 0 if cell is None or cell.value is None else round(cell.value * trials)
    interval = None if cell is None else cell.interval
    return {**told, "id": row, "kind": kind, "hits": hits, "trials": trials, "interval": interval}


def with_pictures(result: Result, audit: Audit, folder: Path, into: Path, frames: Mapping[int, Pixels]) -> Result:
    """Put the pictures that stand for the findings beside the result; `frames` say which frame each was."""
    shown: dict[str, tuple[Example, ...]] = {}
    for one in audit.standing:
        if picture := picture_path(folder, one.picture):
            write_picture(into, picture.name, picture.read_bytes())
        pair = reproduced(folder, one.reproducer) if one.reproducer else None
        seq = (
            None if pair is None else next((n for n, each in frames.items() if np.array_equal(each, pair.clean)), None)
        )
        if pair is None or seq is None:
            continue
        clean = write_picture(into, f"{one.id}-clean.png", png(pair.clean))
        changed = write_picture(into, f"{one.id}-changed.png", png(pair.changed))
        shown[one.id] = (Example(result.drives[0].name, seq, f"{one.title} ({one.words})", clean, changed),)
    return replace(result, cells=tuple(replace(cell, examples=shown.get(cell.row, ())) for cell in result.cells))


def _told(one: Finding) -> dict[str, Any]:
    """Give what table and report say of a probe beside its rate."""
    return {
        "title": one.title,
        "severity": one.severity.value,
        "status": one.status.value,
        "limit": one.limit,
        "words": one.words,
        "retest": one.retest,
        "recommendation": one.recommendation,
        "reproducer": one.reproducer,
        "picture": one.picture,
    }


def _section(found: Sequence[Finding]) -> tuple[Part, ...]:
    rows = tuple(
        (
            one.id,
            one.title,
            one.severity.value,
            one.status.value,
            "–" if one.rate is None else f"{one.rate:.0%}",
            _between(one.interval),
            f"{one.limit:.0%}",
            one.reproducer[:12],
        )
        for one in found
    )
    columns = ("probe", "what it does", "severity", "status", "works", "interval", "limit", "reproducer")
    told = [one for one in found if one.is_standing or one.retest or one.status is Status.NOT_RUN]
    lines = [f"{one.id}, {one.status.value}: {'; '.join(filter(None, (one.words, one.retest)))}." for one in told]
    for advice in dict.fromkeys(one.recommendation for one in found if one.is_standing):
        ids = ", ".join(one.id for one in found if one.is_standing and one.recommendation == advice)
        lines.append(f"Recommended for {ids}: {advice}")
    note = "Found where the interval lies above the limit, passed where below, unclear where it reaches over it."
    table = Table(columns, rows, frozenset((4, 5, 6)), note)
    return (table, Sentences(tuple(lines))) if lines else (table,)


def _picture(one: Finding, folder: Path) -> Picture | None:
    path = picture_path(folder, one.picture)
    if path is None or not path.is_file():
        return None
    return Picture(path.read_bytes(), f"{one.id} ({one.severity.value})", f"It {one.title} ({one.words}).")


def _between(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.low:.0%} … {interval.high:.0%}"
