"""Model card and data sheet, generated from facts: what nobody told is said to be unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from hilgui.evidence.decisions import Recorded
from hilgui.numerals import number_of
from hilgui.records import GateVerdict, Role
from hilgui.store import RunReader

_UNKNOWN = "not stated"


def model_card(recorded: Recorded, readers: Sequence[RunReader], lineage: dict[str, dict[str, Any]]) -> str:
    """Write the card of both models (after Mitchell et al., "Model Cards for Model Reporting", 2019), in Markdown.

    `lineage` holds what the registry knows of each, by the hash of the ONNX file.
    """
    return "\n".join(_model_lines(recorded, readers, lineage)) + "\n"


def data_sheet(recorded: Recorded, readers: Sequence[RunReader]) -> str:
    """Write the sheet of the drives (after Gebru et al., "Datasheets for Datasets", 2021), in Markdown."""
    return "\n".join(_data_lines(recorded, readers)) + "\n"


def text(value: object) -> str:
    """Keep a stranger's text from being markup."""
    plain = " ".join(str(value).split())
    return "".join("\\" + letter if letter in "|<>`*_[]" else letter for letter in plain) or _UNKNOWN


def _model_lines(recorded: Recorded, readers: Sequence[RunReader], lineage: dict[str, dict[str, Any]]) -> Iterator[str]:
    decision = recorded.plain["decision"]
    yield "# Model card"
    yield ""
    yield f"For decision {recorded.id}: **{recorded.action.value}**. {text(decision['sentence'])}"
    for role in Role:
        facts = readers[0].header.models[role]
        yield ""
        yield f"## {role.value.capitalize()}: {text(facts.name)}"
        yield ""
        yield f"- sha256 `{facts.sha256}`"
        yield f"- task {text(facts.task)}, read by adapter {text(facts.adapter)}, licence {text(facts.licence)}"
        yield f"- input {facts.input_width}×{facts.input_height}, score threshold {facts.threshold:g}"
        yield f"- ran on {text(facts.runs_on)} ({text(facts.device)}), {number_of(facts.threads, 'thread')}"
        yield f"- classes: {', '.join(map(text, facts.classes))}"
        known = lineage.get(facts.sha256)
        if known is None:
            yield "- where it comes from: the registry of this bench does not know it"
        else:
            yield f"- imported {text(known['at'])} by {text(known['by'])}; made by: {text(known['command'])}"
            yield f"- made from: {', '.join(map(text, known['made_from'])) or _UNKNOWN}; notes: {text(known['notes'])}"
    yield ""
    yield "## Figures"
    yield ""
    rests = f"{number_of(decision['drives'], 'drive')}, {number_of(decision['frames'], 'judged frame')}"
    yield f"Candidate minus baseline over {rests}; unit {decision['unit']}."
    yield ""
    yield "| gate | baseline | candidate | difference | interval | margin | verdict |"
    yield "|---|---|---|---|---|---|---|"
    for gate in decision["gates"]:
        cells = [_number(gate[name]) for name in ("baseline", "candidate", "difference")]
        interval = f"{_number(gate['low'])} … {_number(gate['high'])}"
        row = (f"{gate['id']} ({gate['metric']})", *cells, interval, _number(gate["margin"]), gate["verdict"])
        yield f"| {' | '.join(map(text, row))} |"
    yield ""
    yield "## Limits of use"
    yield ""
    yield f"- Shown for the drives of data_sheet.md alone; judged classes: {', '.join(map(text, _judged(readers[0])))}."
    lost = [one for one in decision["slices"] if one["significant"]]
    yield from (f"- worse in {text(one['name'])}: {text(one['metric'])} {_number(one['difference'])}" for one in lost)
    unproven = [gate["id"] for gate in decision["gates"] if gate["verdict"] == GateVerdict.UNPROVEN.value]
    if unproven:
        yield f"- neither shown nor refuted: {', '.join(map(text, unproven))}"
    yield from (f"- {text(reason)}" for reason in decision["reasons"])


def _data_lines(recorded: Recorded, readers: Sequence[RunReader]) -> Iterator[str]:
    conditions: Counter[str] = Counter()
    yield "# Data sheet"
    yield ""
    yield f"The {len(readers)} runs behind decision {recorded.id}. A recording that was run twice counts once."
    yield ""
    yield "| run | recording | sha256 | kind | size | rate | frames | labelled | lost |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for reader in readers:
        source, ledger = reader.header.source, reader.ledger
        row = (
            reader.header.run_id,
            source.name,
            source.sha256[:16],
            "camera" if source.live else source.kind,
            f"{source.width}×{source.height}" if source.width else "differs",
            "no rate" if source.fps is None else f"{source.fps:g}/s",
            ledger.captured,
            ledger.with_truth,
            ledger.dropped + ledger.skipped,
        )
        yield f"| {' | '.join(map(text, row))} |"
        if reader.header.truth is not None:
            conditions.update(f"{name}: {value}" for name, value in reader.header.truth.conditions.items())
    yield ""
    yield "## Labels"
    yield ""
    for reader in readers:
        truth = reader.header.truth
        if truth is None:
            yield f"- {reader.header.run_id}: no ground truth"
        else:
            left_out = f"; not compared: {', '.join(map(text, truth.unmapped))}" if truth.unmapped else ""
            known = f"{text(truth.format)} `{truth.sha256[:16]}`, joined by {truth.join}"
            yield f"- {reader.header.run_id}: {known}{left_out}"
    yield ""
    yield "## Conditions"
    yield ""
    yield from (f"- {text(name)}: {number_of(count, 'drive')}" for name, count in sorted(conditions.items()))
    if not conditions:
        yield "- the labels tell none: what light, what weather is not known"
    notes = sorted({note for reader in readers for note in reader.header.source.notes})
    if notes:
        yield ""
        yield "## Notes of the sources"
        yield ""
        yield from (f"- {text(note)}" for note in notes)
    yield ""
    yield "## What this sheet cannot say"
    yield ""
    yield "- who is in the pictures and with whose consent"
    yield "- whether the drives stand for where the model will be used"


def bench_facts(readers: Sequence[RunReader]) -> dict[str, Any]:
    """Give what ran where: host, providers, driver, libraries, operators, each named once."""
    headers = [reader.header for reader in readers]
    models = [facts for header in headers for facts in header.models.values()]
    attested = [facts.attestation for facts in models if facts.attestation is not None]
    return {
        "hosts": _distinct(header.host for header in headers),
        "people": _distinct(asdict(header.people) for header in headers),
        "versions": sorted({f"{header.version} {header.commit}".strip() for header in headers}),
        "providers": sorted({facts.provider for facts in models}),
        "drivers": sorted({one.driver for one in attested if one.driver}),
        "libraries": _distinct(one.libraries for one in attested),
    }


def _distinct(values: Any) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _judged(reader: RunReader) -> list[str]:
    vocabulary = reader.header.vocabulary
    return [vocabulary.names[number] for number in sorted(vocabulary.judged)]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
