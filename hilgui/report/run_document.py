"""The report of one run: verdict, why, what next; then figures with intervals, slices, worst clips, settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hilgui import __version__
from hilgui.evaluation import Figure, Scorecard
from hilgui.numerals import number_of
from hilgui.records import Outcome, Role, Severity
from hilgui.report.charts import precision_recall
from hilgui.report.document import Charts, Document, Section, Sentences, Table
from hilgui.report.evaluate import evaluate_runs
from hilgui.report.protocol import Progress, silent
from hilgui.report.shown import attestation, figure, findings_chart, settings, words, worst_pictures
from hilgui.report.summary import summary
from hilgui.report.tally import RoleTally, distance_bands, height_bands, tally
from hilgui.report.words import Statement, Tone, conditions_in_words, percent, statements
from hilgui.store import RunReader

TONES: dict[str, str] = {Outcome.PASS: "good", Outcome.FAIL: "missed", Outcome.ERROR: "missed"}
_SHOWN = (
    "map_50_95", "map_50", "map_75", "recall", "precision", "f1", "critical_recall", "missed_critical",
    "missed_critical_per_hour", "phantoms_per_minute", "time_to_first_detection_s", "longest_gap_s", "id_switches",
    "mota", "hota", "calibration_error",
)  # fmt: skip
_WHY = 8  # statements on the first page
_CURVES = 6  # classes
_BANDS = 24  # rows of slices


def run_document(reader: RunReader, progress: Progress = silent) -> Document:
    """Build the report of a run, finished or not; reads its frames twice. Raises StoreBroken."""
    facts, tallies = summary(reader), tally(reader)
    said = statements(facts, tallies)
    card = evaluate_runs([reader], progress=progress) if facts["frames"]["with_truth"] else None
    figures = {} if card is None else card.figures()
    header, verdict = reader.header, facts["verdict"] or "RUNNING"
    names = [f"{facts['models'][role.value]['name']} ({role.value})" for role in Role if facts["models"][role.value]]
    lead = next(
        (one.text for one in said if one.tone is not Tone.NOTE), said[0].text if said else "Nothing was judged."
    )
    reasons = tuple(Statement(f"{verdict}: {reason}", Tone.NOTE) for reason in facts["reasons"])
    return Document(
        title=f"{header.source.name}{conditions_in_words(facts)}",
        subtitle=f"{' beside '.join(names)} · {facts['created'][:16].replace('T', ' ')} UTC · run {header.run_id}",
        word=verdict,
        tone=TONES.get(verdict, "warning"),
        lead=lead,
        why=(*reasons, *(one for one in said if one.text != lead))[:_WHY],
        next_steps=tuple(_next(facts, reader)),
        figures=_tiles(facts),
        sections=tuple(_sections(reader, facts, tallies, figures, None if card is None else card.scorecard, said)),
        footer=f"Run {header.run_id}; report by hilgui {__version__}",
    )


def _next(facts: dict[str, Any], reader: RunReader) -> Iterator[str]:
    frames, verdict = facts["frames"], facts["verdict"]
    if verdict in (Outcome.ERROR, Outcome.ABORTED):
        yield "Mend the bench and replay: a run that broke says nothing about a model."
    elif frames["dropped"] or frames["skipped"]:
        lost = frames["dropped"] + frames["skipped"]
        yield f"Find out why {lost:,} of {frames['captured']:,} frames were lost and replay the drive."
    if not frames["with_truth"]:
        yield "Bring labels: without them misses, phantoms and average precision stay unknown."
    high = sum(each.severity is Severity.HIGH for each in reader.findings())
    if high:
        yield f"Look at the {number_of(high, 'finding')} of high severity (`hilgui open {facts['run_id']}`)."
    if facts["models"]["candidate"]:
        yield "One drive decides nothing: put runs of many drives through a gate (`hilgui gate SPEC --runs …`)."


def _tiles(facts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    frames = facts["frames"]
    tiles = [
        ("frames evaluated", f"{frames['evaluated']:,} of {frames['captured']:,}"),
        ("frames with labels", f"{frames['with_truth']:,}"),
        ("findings", f"{sum(facts['findings'].values()):,}"),
        ("frames per second", figure(facts["fps"], 1)),
    ]
    for role, model in facts["models"].items():
        if model:
            tiles += [
                (f"{role}: AP50", figure((model["detection"] or {}).get("map_50"))),
                (f"{role}: missed / phantoms", f"{figure(model['missed'])} / {figure(model['phantoms'])}"),
                (
                    f"{role}: p50 / p99 ms",
                    f"{figure(model['latency_ms']['p50'], 1)} / {figure(model['latency_ms']['p99'], 1)}",
                ),
                (f"{role}: AP .50:.95", figure((model["detection"] or {}).get("map_50_95"))),
            ]
    return tuple(tiles)


def _sections(
    reader: RunReader,
    facts: dict[str, Any],
    tallies: dict[Role, RoleTally],
    figures: dict[Role, dict[str, Figure]],
    card: Scorecard | None,
    said: list[Statement],
) -> Iterator[Section]:
    if figures:
        yield Section("Figures with their intervals", (_figures(figures),))
    if card is not None and (curves := _curves(card, tallies)) is not None:
        yield Section("Precision and recall", (curves,))
    if any(one.classes for one in tallies.values()) and facts["frames"]["with_truth"]:
        yield Section("Classes and slices", (_classes(tallies), _bands(tallies)))
    findings = reader.findings()
    chart = findings_chart(reader, findings)
    if chart is not None:
        yield Section("When what happened", (chart,))
    pictures = worst_pictures((reader, each) for each in findings)
    if pictures is not None:
        yield Section("The worst clips", (pictures,))
    yield Section("In words", (Sentences(tuple(one.text for one in said)),))
    frames = facts["frames"]
    closes = "The ledger closes." if frames["closes"] else "The ledger does not close."
    ledger = [
        f"{frames['captured']:,} captured = {frames['evaluated']:,} evaluated + {frames['dropped']:,} dropped +"
        f" {frames['skipped']:,} skipped. {closes}",
        *(f"{count:,} × {reason}" for reason, count in frames["reasons"].items()),
        *facts["notes"],
        *(f"Not looked for: {words(name)} ({reason})" for name, reason in facts["left_out"].items()),
    ]
    yield Section("Ledger", (Sentences(tuple(ledger)),))
    yield attestation([reader])
    yield settings(reader)


def _figures(figures: dict[Role, dict[str, Figure]]) -> Table:
    roles = tuple(figures)
    rows = []
    for name in _SHOWN:
        known = [figures[role].get(name) for role in roles]
        if any(one is not None and one.value is not None for one in known):
            rows.append(
                (
                    words(name),
                    *(text for one in known for text in _figure(one)),
                    next((one.of for one in known if one), ""),
                )
            )
    columns = ("figure", *(title for role in roles for title in (role.value, "interval", "over")), "of")
    numbers = frozenset(range(1, 1 + 3 * len(roles)))
    units = {one.interval.unit for mine in figures.values() for one in mine.values() if one.interval}
    note = (
        f"Intervals hold the true value in 19 of 20 cases; resampled by {' and '.join(sorted(units))}, never by frame."
        if units
        else "The drive is too short for intervals: there are not two blocks to resample."
    )
    return Table(columns, tuple(rows), numbers, note)


def _figure(one: Figure | None) -> tuple[str, str, str]:
    if one is None:
        return "–", "–", "–"
    interval = "–" if one.interval is None else f"{figure(one.interval.low)} … {figure(one.interval.high)}"
    return figure(one.value), interval, f"{one.count:,}"


def _curves(card: Scorecard, tallies: dict[Role, RoleTally]) -> Charts | None:
    details = {role: each["precision_recall"] for role, each in card.details().items() if "precision_recall" in each}
    labels = {name: one.share.truths for each in tallies.values() for name, one in each.classes.items()}
    names = sorted((name for name, count in labels.items() if count), key=lambda name: (-labels[name], name))[:_CURVES]
    drawings = tuple(
        precision_recall(
            f"{name[:28]} ({labels[name]:,} labels)",
            [
                (role.value, each[name]["recall"], each[name]["precision"])
                for role, each in details.items()
                if name in each
            ],
        )
        for name in names
    )
    return Charts(drawings, "IoU .5. Solid blue: baseline, dashed orange: candidate.") if drawings else None


def _classes(tallies: dict[Role, RoleTally]) -> Table:
    names = list(dict.fromkeys(name for each in tallies.values() for name in each.classes))
    labels = {
        name: max(each.classes[name].share.truths for each in tallies.values() if name in each.classes)
        for name in names
    }
    rows = []
    for name in sorted(names, key=lambda name: (-labels[name], name))[:_BANDS]:
        row = [name, f"{labels[name]:,}"]
        for each in tallies.values():
            one = each.classes.get(name)
            row += (
                ["–", "–", "–"]
                if one is None
                else [percent(one.share.recall), f"{one.share.missed:,}", f"{one.phantoms:,}"]
            )
        rows.append(tuple(row))
    titles = tuple(f"{role.value} {word}" for role in tallies for word in ("found", "missed", "phantoms"))
    return Table(("class", "labels", *titles), tuple(rows), frozenset(range(1, 2 + len(titles))))


def _bands(tallies: dict[Role, RoleTally]) -> Table:
    first = next(iter(tallies.values()))
    rows = []
    for field, names in (("by_distance", distance_bands()), ("by_height", height_bands())):
        for name in first.classes:
            for place, band in enumerate(names):
                shares = [
                    getattr(each.classes[name], field)[place] if name in each.classes else None
                    for each in tallies.values()
                ]
                if shares[0] is not None and shares[0].truths:
                    rows.append(
                        (name, band, f"{shares[0].truths:,}", *(percent(one.recall if one else None) for one in shares))
                    )
    titles = tuple(f"{role.value} found" for role in tallies)
    numbers = frozenset(range(2, 3 + len(titles)))
    return Table(("class", "distance or height", "labels", *titles), tuple(rows[: 2 * _BANDS]), numbers)
