"""What stays of an attack: result.json for the Robustness page, pictures side by side, report.html."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui import __version__
from hilgui.attacks.aims import Goal
from hilgui.attacks.benchmark import Attacked, Benchmark, Defended, Tell
from hilgui.attacks.drawing import jpeg, png, side_by_side
from hilgui.attacks.gallery import Gallery
from hilgui.attacks.measure import Damage
from hilgui.attacks.question import CLEAN, FATES, NAMES, AttackQuestion
from hilgui.durable import write_document
from hilgui.evaluation import Interval
from hilgui.numerals import number_of
from hilgui.records import Role
from hilgui.report.document import Document, Facts, Picture, Pictures, Section, Sentences, Table
from hilgui.report.document_html import html_of
from hilgui.report.words import Statement, Tone
from hilgui.robustness import ATTACKS, Cell, Example, Headline, Result, write_picture, write_result
from hilgui.settings import Settings

REPORT = "report.html"
_CLEAN, _ATTACKED = "clean", "attacked"


def attack(
    question: AttackQuestion, settings: Settings, root: Path, tell: Tell, folder: Path | None = None
) -> tuple[Path, Attacked]:
    """Open, attack, measure and store; gives the folder. Raises HilguiError."""
    gallery = Gallery(
        question.model,
        question.source,
        settings,
        truth=question.truth,
        count=question.count,
        baseline=question.baseline,
        classes=question.classes,
        class_map=question.class_map,
    )
    try:
        made = Benchmark(gallery, question, tell).run()
        empty = _result(gallery, made)
        folder = root / empty.id if folder is None else folder
        return folder, store(folder, gallery, made, empty)
    finally:
        gallery.close()


def store(folder: Path, gallery: Gallery, made: Attacked, result: Result) -> Attacked:
    """Write pictures, document and report."""
    examples, pictures = [], []
    for sample in made.samples:
        stem = f"{sample.shot.ref.seq:06d}"
        before, after = (gallery.shown(answer, sample.shot) for answer in (sample.before, sample.after))
        paths = [
            write_picture(folder, f"{name}-{stem}.png", png(image))
            for name, image in (("clean", sample.shot.image), (made.question.method, sample.attacked))
        ]
        both = jpeg(side_by_side(sample.shot.image, sample.attacked, before, after))
        write_picture(folder, f"side-by-side-{stem}.jpg", both)
        drive = gallery.facts()[0].name
        examples.append(Example(drive, sample.shot.ref.seq, sample.words, paths[0], paths[1], before, after))
        pictures.append(Picture(both, f"{drive} #{sample.shot.ref.seq} {sample.shot.ref.key}", sample.words))
    whole = replace(result, cells=_pictured(result.cells, made.question.method, tuple(examples)))
    write_result(folder, whole)
    write_document(folder / REPORT, html_of(document(made, whole, tuple(pictures))).encode())
    write_document(folder / "attack.json", json.dumps(made.as_json(), indent=1, ensure_ascii=False).encode())
    return made


def _pictured(cells: tuple[Cell, ...], method: str, examples: tuple[Example, ...]) -> tuple[Cell, ...]:
    key = NAMES[method], _ATTACKED
    return tuple(replace(one, examples=examples) if (one.row, one.column) == key else one for one in cells)


def _result(gallery: Gallery, made: Attacked) -> Result:
    question, role = made.question, Role.BASELINE
    base = made.damages[CLEAN]
    cells, rows, families = [], [], {}

    def put(row: str, family: str, clean: Damage, attacked: Damage) -> None:
        rows.append(row)
        families[row] = family
        for column, one in ((_CLEAN, clean), (_ATTACKED, attacked)):
            cells.append(Cell(row, column, role, one.value, one.interval, one.at_stake))

    for method in question.methods:
        put(NAMES[method], "attack", base, made.damages[method])
    for one in made.defences:
        put(f"{NAMES[question.method]}, {one.name}", "defence", one.clean, one.attacked)
    after = made.damages[question.method]
    asked: dict[str, Any] = {
        "attack": question.method,
        "goal": question.goal.value,
        "class": question.class_name,
        "epsilon": question.epsilon,
        "steps": question.steps,
        "queries": question.queries,
        "seed": question.seed,
        "pictures": len(gallery.shots),
        "classes": sorted(gallery.vocabulary.name(number) for number in gallery.vocabulary.judged),
        "class_map": question.class_map or "",
        "sigma": question.sigma,
        "certified": question.certified,
        "threshold": gallery.model.threshold,
        "truth": question.truth or "labels",
        "is_defended": question.is_defended,
        "baseline": "" if gallery.baseline is None else gallery.baseline.facts.sha256,
        "models": {one.role.value: one.sha256 for one in gallery.subjects()},
        "drives": [[one.sha256, one.truth, one.frames] for one in gallery.facts()],
    }
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:10]
    name = gallery.model.facts.name
    stem = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "model"
    aim = "" if question.goal is Goal.HIDE else f", {question.goal.value} {question.class_name}".rstrip()
    headlines = [
        Headline("clean", role, base.value, base.interval),
        Headline(NAMES[question.method], role, after.value, after.interval),
        Headline("attacks that worked", role, after.success, after.success_interval, "", "lower"),
    ]
    return Result(
        kind=ATTACKS,
        id=f"{ATTACKS}-{stem}-{question.method}-{digest}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        title=f"{NAMES[question.method]} on {name}{aim} · {gallery.facts()[0].name}",
        question=asked,
        command=question.command,
        models=gallery.subjects(),
        drives=gallery.facts(),
        measure=made.measure,
        rows=tuple(rows),
        columns=(_CLEAN, _ATTACKED),
        cells=tuple(cells),
        families=families,
        headlines=tuple(headlines),
        checks=made.checks,
        notes=made.notes,
        is_whole=True,
    )


def document(made: Attacked, result: Result, pictures: tuple[Picture, ...]) -> Document:
    """Write the report: before and after, whether the attack was strong, examples, defences."""
    question = made.question
    before, after = made.damages[CLEAN], made.damages[question.method]
    lead = (
        f"{made.measure} falls from {_number(before.value)} to {_number(after.value)} under "
        f"{NAMES[question.method]} with ε = {question.epsilon:g}; {_percent(after.success)} of {after.at_stake} "
        f"{FATES[question.goal]}."
    )
    why = [
        Statement(f"{check.name}: {check.sentence}", Tone.NOTE if check.is_good else Tone.WORSE)
        for check in made.checks
    ]
    steps = ["Put the pictures of the result's folder into a test case, so that a fix stays visible."]
    if made.was_strong is False:
        steps.insert(0, "Take more steps or queries: this attack was too weak to say anything.")
    sections = [Section("Before and after", (_table(made),))]
    if pictures:
        note = "Left clean, middle attacked, right ten times the difference. Blue: found, red: missed, violet: phantom."
        sections.append(Section("Side by side", (Pictures(pictures, note),)))
    if made.defences:
        sections.append(Section("Defences, measured", (_defences(made.defences, before, after),)))
    if made.smoothed is not None:
        sections.append(Section("Randomised smoothing", (Facts(_smoothing(made)),)))
    sections.append(Section("Notes", (Sentences(made.notes),)))
    subject = result.models[0]
    facts = (("model sha256", subject.sha256), ("pictures sha256", result.drives[0].sha256))
    sections.append(Section("Attestation", (Facts((*facts, ("ran on", subject.runs_on or "onnxruntime"))),)))
    word = {True: "MEASURED", False: "TOO WEAK", None: "UNSURE"}[made.was_strong]
    return Document(
        title=result.title,
        subtitle=f"{number_of(result.drives[0].frames, 'picture')} · {result.created} · goal: {question.goal.value}",
        word=word,
        tone="good" if made.was_strong else "warning",
        lead=lead,
        why=tuple(why),
        next_steps=tuple(steps),
        figures=(
            ("before", _number(before.value)),
            ("after", _number(after.value)),
            ("attacks that worked", _percent(after.success)),
            ("ε", f"{question.epsilon:g}"),
        ),
        sections=tuple(sections),
        footer=f"{result.id}; report by hilgui {__version__}",
    )


def _table(made: Attacked) -> Table:
    rows = tuple(
        (
            NAMES[one.name],
            _number(one.value),
            _between(one.interval),
            _number(one.value_50),
            _between(one.change),
            _percent(one.success),
            _between(one.success_interval),
            f"{one.ms:.0f}",
        )
        for one in made.damages.values()
    )
    columns = ("", made.measure, "interval", "AP .50", "change", "worked", "interval", "ms a picture")
    return Table(columns, rows, frozenset(range(1, 8)), f"Worked: share that was {FATES[made.question.goal]}.")


def _defences(defences: list[Defended], before: Damage, after: Damage) -> Table:
    first = ("none", _number(before.value), "", _number(after.value), "", "0")
    rows = tuple(
        (
            one.name,
            _number(one.clean.value),
            _between(one.clean.change),
            _number(one.attacked.value),
            _between(one.attacked.change),
            f"{one.ms:.1f}",
        )
        for one in defences
    )
    columns = ("defence", "clean", "cost, interval", "attacked", "against clean", "ms more")
    return Table(columns, (first, *rows), frozenset(range(1, 6)), "The attack does not know the defence.")


def _smoothing(made: Attacked) -> tuple[tuple[str, str], ...]:
    one = made.smoothed
    assert one is not None
    radius = "–" if not one.radii else f"{sorted(one.radii)[len(one.radii) // 2]:.2f} (0..1 pixels, L2)"
    return (
        ("pictures, σ", f"{one.pictures}, {one.sigma:g}"),
        ("answer of the clean picture", f"{one.agreeing} {_between(one.interval)}"),
        ("abstained", f"{one.abstained}"),
        ("median certified radius", radius),
        ("L2 size of the attack", f"{one.epsilon_l2:.1f}: a certificate of a smaller radius does not cover it"),
        ("time", f"{one.ms:.0f} ms a picture"),
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _between(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.low:.3f} … {interval.high:.3f}".replace("-", "−")
