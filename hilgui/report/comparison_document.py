"""The report of two runs of one drive: what got better or worse, with paired intervals, and what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from hilgui import __version__
from hilgui.evaluation import DetectionQuality, Scorecard
from hilgui.numerals import number_of
from hilgui.report.charts import Estimate, forest, precision_recall
from hilgui.report.compare import compared_in_words
from hilgui.report.differences import compare_many
from hilgui.report.document import Charts, Document, Section, Sentences, Table
from hilgui.report.noise import read_noise
from hilgui.report.protocol import Progress, silent
from hilgui.report.shown import attestation, between, figure, settings, signed, words, worst_pictures
from hilgui.report.words import Statement, Tone
from hilgui.store import RunReader

_FOREST = ("map_50_95", "map_50", "map_75", "recall", "precision", "f1")
_COLOURS = {"better": "good", "worse": "missed", "open": "text_faint", "same": "text_soft"}
_TONES = {"better": Tone.BETTER, "worse": Tone.WORSE, "same": Tone.LEVEL}
_CLASSES = 30  # rows of figures by class
_CURVES = 6
_NEW = 40  # new findings in the table


def comparison_document(a: RunReader, b: RunReader, *, today: date, progress: Progress = silent) -> Document:
    """Build the report of run `b` against run `a`; differences are b minus a. Raises CallWrong and StoreBroken."""
    compared = compare_many([a, b], today=today, noise=read_noise(a.folder), progress=progress)
    other = compared["others"][0]
    pair, figures, found = other["pair"], other["figures"], other["findings"]
    worse, better = (_judged(figures, judgement) for judgement in ("worse", "better"))
    word, tone, lead = _word(compared, worse, better, found)
    return Document(
        title=f"{b.header.run_id} against {a.header.run_id}",
        subtitle=f"Comparison of two runs · {b.header.source.name} · A: {_models(a)} · B: {_models(b)}",
        word=word,
        tone=tone,
        lead=lead,
        why=tuple(_why(compared, worse, better, found)),
        next_steps=tuple(_next(worse, found, pair)),
        figures=(
            ("frames judged by both", f"{compared['frames']:,}"),
            ("new findings", "–" if found["new"] is None else f"{len(found['new']):,}"),
            ("findings gone", "–" if found["gone"] is None else f"{len(found['gone']):,}"),
            ("findings in both", "–" if found["same"] is None else f"{len(found['same']):,}"),
        ),
        sections=tuple(_sections(a, b, figures, pair, found)),
        footer=f"Runs {a.header.run_id} and {b.header.run_id}; report by hilgui {__version__}",
        chart=_chart(figures),
    )


def _chart(figures: dict[str, Any]) -> Charts | None:
    rows = [
        row for role, mine in figures.items() for name in _FOREST if (row := _estimate(role, name, mine)) is not None
    ]
    note = "Differences B minus A with intervals of 95 %; grey: the interval holds 0."
    return Charts((forest(rows, in_margins=False),), note) if rows else None


def _models(reader: RunReader) -> str:
    return " beside ".join(facts.name for _, facts in sorted(reader.header.models.items()))


def _judged(figures: dict[str, Any], judgement: str) -> list[tuple[str, str, dict[str, Any]]]:
    """List the whole figures (not those of a class) with a judgement: role, name, difference."""
    return [
        (role, name, each)
        for role, mine in figures.items()
        for name, each in mine.items()
        if "." not in name and each["judgement"] == judgement
    ]


def _figures(judged: list[Any]) -> str:
    return number_of(len(judged), "figure")


def _word(compared: dict[str, Any], worse: list[Any], better: list[Any], found: dict[str, Any]) -> tuple[str, str, str]:
    frames = f"on {number_of(compared['frames'], 'frame')} that both judged"
    if not compared["frames"]:
        return (
            "NOT COMPARABLE",
            "warning",
            "No frame was judged by both runs: only counts can be set beside each other.",
        )
    if worse and better:
        return "MIXED", "warning", f"B is better in {_figures(better)} and worse in {len(worse)}, {frames}."
    if worse:
        return "WORSE", "missed", f"B is worse in {_figures(worse)} and better in none, {frames}."
    if better:
        return "BETTER", "good", f"B is better in {_figures(better)} and worse in none, {frames}."
    if found["new"] or found["gone"]:
        return "OPEN", "warning", f"No figure is surely better or worse, but findings differ, {frames}."
    return "NO DIFFERENCE", "good", f"No figure is surely better or worse, and the findings are the same, {frames}."


def _why(compared: dict[str, Any], worse: list[Any], better: list[Any], found: dict[str, Any]) -> Iterator[Statement]:
    yield from (Statement(str(note), Tone.NOTE) for note in compared["notes"])
    for tone, group in ((Tone.WORSE, worse), (Tone.BETTER, better)):
        for role, name, each in group[:5]:
            interval = each["interval"]
            sure = f" ({between(interval['low'], interval['high'])})" if interval else ""
            yield Statement(
                f"{role}: {words(name)} {figure(each['a'])} to {figure(each['b'])}, "
                f"{signed(each['difference'])}{sure}.",
                tone,
            )
    if found["new"]:
        kinds = sorted({each["kind"] for each in found["new"]})
        text = f"{number_of(len(found['new']), 'finding is', 'findings are')} new in B: {', '.join(map(words, kinds))}."
        yield Statement(text, Tone.WORSE)
    if found["gone"]:
        yield Statement(
            f"{number_of(len(found['gone']), 'finding of A is', 'findings of A are')} gone in B.", Tone.BETTER
        )


def _next(worse: list[Any], found: dict[str, Any], pair: dict[str, Any]) -> Iterator[str]:
    if not pair["same"]["source"]:
        yield "Replay the same drive with both models, so that frames can be paired."
    if worse:
        yield "Look at the frames behind what got worse (`hilgui evaluate RUN --explain FIGURE`)."
    if found["open"]:
        yield f"Sort the {len(found['open']):,} new findings that no waiver covers."
    yield "Two runs of one drive decide nothing: a gate over many drives does (`hilgui gate SPEC --runs …`)."


def _sections(
    a: RunReader, b: RunReader, figures: dict[str, Any], pair: dict[str, Any], found: dict[str, Any]
) -> Iterator[Section]:
    if figures:
        yield Section("Differences with their intervals", (_table(figures, is_by_class=False),))
        yield Section("Classes", (_table(figures, is_by_class=True),))
    curves = _curves(a, b)
    if curves is not None:
        yield Section("Precision and recall", (curves,))
    if found["new"]:
        yield Section("New findings", (_new(found),))
        numbers = {each["number"] for each in found["new"]}
        pictures = worst_pictures((b, each) for each in b.findings() if each.number in numbers)
        if pictures is not None:
            yield Section("The worst clips of what is new", (pictures,))
    yield Section("Side by side", (Sentences(tuple(compared_in_words(pair))),))
    yield attestation([a, b])
    yield settings(b)


def _estimate(role: str, name: str, figures: dict[str, Any]) -> Estimate | None:
    each = figures.get(name)
    if each is None or each["difference"] is None:
        return None
    interval = each["interval"] or {"low": float("nan"), "high": float("nan")}
    text = f"{signed(each['difference'])}  {each['judgement']}"
    colour = _COLOURS[each["judgement"]]
    return Estimate(f"{words(name)} · {role}", each["difference"], interval["low"], interval["high"], text, colour)


def _table(figures: dict[str, Any], *, is_by_class: bool) -> Table:
    rows = [
        (
            words(name), role, figure(each["a"]), figure(each["b"]), signed(each["difference"]),
            "–" if each["interval"] is None else between(each["interval"]["low"], each["interval"]["high"]),
            str(each["judgement"]),
        )
        for role, mine in figures.items()
        for name, each in mine.items()
        if ("." in name) == is_by_class and each["difference"] is not None
    ]  # fmt: skip
    if is_by_class:
        order = {"worse": 0, "better": 1}
        rows.sort(key=lambda row: order.get(row[-1], 2))
    columns = ("figure", "model", "A", "B", "difference", "interval", "judgement")
    more = f"{len(rows) - _CLASSES} more: `hilgui compare A B --json`." if is_by_class and len(rows) > _CLASSES else ""
    return Table(columns, tuple(rows[:_CLASSES] if is_by_class else rows), frozenset({2, 3, 4, 5}), more)


def _new(found: dict[str, Any]) -> Table:
    rows = tuple(
        (
            f"{each['number']}", str(each["severity"]), words(each["kind"]), str(each["role"] or "–"),
            str(each.get("channel") or ""), f"{each['first_seq']}–{each['last_seq']}", str(each["why"]),
        )
        for each in found["new"][:_NEW]
    )  # fmt: skip
    more = f"and {len(found['new']) - _NEW:,} more" if len(found["new"]) > _NEW else ""
    return Table(("no", "severity", "kind", "model", "camera", "frames", "why"), rows, frozenset({0, 5}), more)


def _curves(a: RunReader, b: RunReader) -> Charts | None:
    """Draw the curves of the model that both runs judged last: of the candidate where both have one."""
    roles = [role for role in a.header.models if role in b.header.models]
    if not roles:
        return None
    details = []
    for reader in (a, b):
        card = Scorecard(reader.header, measurements={"detection": DetectionQuality})
        for moment in reader.moments():
            card.add(moment)
        details.append(card.details().get(roles[-1], {}).get("precision_recall", {}))
    names = [name for name in details[0] if name in details[1] and len(details[1][name]["recall"]) > 1][:_CURVES]
    drawings = tuple(
        precision_recall(
            name[:28],
            [
                (colour, each[name]["recall"], each[name]["precision"])
                for colour, each in zip(("baseline", "candidate"), details, strict=True)
            ],
        )
        for name in names
    )
    note = f"Of the {roles[-1].value}, IoU .5. Solid blue: run A, dashed orange: run B."
    return Charts(drawings, note) if drawings else None
