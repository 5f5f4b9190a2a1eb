"""The cases of a bundle: the worst findings with their clips, what both models said and what was really there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hilgui.cornercases import badness
from hilgui.evidence.runs import finite
from hilgui.records import Finding, Moment, Severity
from hilgui.store import RunReader
from hilgui.store.codec import finding_json

LONGEST = 150  # frames of a clip
LOWEST_SCORE = 0.05  # of the predictions that are listed


@dataclass(frozen=True, slots=True)
class Case:
    """One finding of one run."""

    number: int  # counts from 1 within the bundle
    reader: RunReader
    finding: Finding

    @property
    def folder(self) -> str:
        """Give its place in the bundle."""
        return f"cases/{self.number:03d}-{self.finding.kind.value}"


def choose(readers: Sequence[RunReader], most: int) -> list[Case]:
    """Choose the worst findings that have a clip; of each run something before a second of the same kind."""
    seen: set[tuple[str, str, str]] = set()
    found: list[tuple[bool, tuple[int, ...], str, RunReader, Finding]] = []
    for reader in readers:
        for finding in sorted(reader.findings(), key=badness):
            key = (reader.header.run_id, finding.kind.value, str(finding.role))
            is_again = key in seen
            seen.add(key)
            if finding.severity is not Severity.LOW or not is_again:
                found.append((is_again, badness(finding), reader.header.run_id, reader, finding))
    found.sort(key=lambda row: row[:3])
    return [Case(number, row[3], row[4]) for number, row in enumerate(found[:most], 1)]


def picture_name(run_id: str, seq: int) -> str:
    """Give the place of a picture; clips of one run share theirs."""
    return f"cases/pictures/{run_id}/{seq:08d}.jpg"


def case_files(case: Case) -> Iterator[tuple[str, bytes]]:
    """Give the files of a case: finding, frames, predictions, truth."""
    reader, finding, header = case.reader, case.finding, case.reader.header
    first, last = _span(finding)
    moments = [one for one in reader.moments(first, last) if not finding.channel or one.ref.channel == finding.channel]
    frames = []
    for seq in (one.ref.seq for one in moments) if finding.channel else range(first, last + 1):
        picture = reader.picture(seq)
        if picture is not None:
            frames.append(seq)
            yield picture_name(header.run_id, seq), picture
    yield f"{case.folder}/predictions.jsonl", _lines(_predictions(moment) for moment in moments)
    yield f"{case.folder}/truth.jsonl", _lines(_truth(moment) for moment in moments if moment.truth is not None)
    told = {
        "schema": "hilgui/case.v1",
        "run_id": header.run_id,
        "finding": finding_json(finding),
        "reason": finding.why,
        "frames": frames,
        "span": [first, last],
        "lowest_score": LOWEST_SCORE,
        "fps": header.source.fps,
        "size": [moments[0].ref.width, moments[0].ref.height] if moments else [],
        "classes": list(header.vocabulary.names),
        "judged": sorted(header.vocabulary.judged),
        "models": {
            role.value: {
                "name": facts.name, "sha256": facts.sha256, "adapter": facts.adapter, "threshold": facts.threshold,
                "provider": facts.provider,
            }
            for role, facts in header.models.items()
        },
        "source": {"name": header.source.name, "sha256": header.source.sha256},
        "settings": header.settings,
    }  # fmt: skip
    yield f"{case.folder}/case.json", (json.dumps(finite(told), indent=1, sort_keys=True) + "\n").encode()


def _span(finding: Finding) -> tuple[int, int]:
    first = finding.first_seq if finding.clip_first is None else finding.clip_first
    last = finding.last_seq if finding.clip_last is None else finding.clip_last
    if last - first >= LONGEST:  # around the worst frame
        first = max(first, min(finding.worst_seq - LONGEST // 2, last - LONGEST + 1))
        last = first + LONGEST - 1
    return first, last


def _predictions(moment: Moment) -> dict[str, Any]:
    row: dict[str, Any] = {"seq": moment.ref.seq, "time_s": moment.ref.time_s}
    for role, inference in moment.inferences.items():
        shown = inference.detections.first(inference.detections.count_above(LOWEST_SCORE))
        row[role.value] = [
            {"box": [round(side, 3) for side in box], "score": round(score, 5), "class": name}
            for box, score, name in zip(
                shown.boxes.tolist(), shown.scores.tolist(), shown.classes.tolist(), strict=True
            )
        ]
    return row


def _truth(moment: Moment) -> dict[str, Any]:
    truth = moment.truth
    assert truth is not None
    columns = (truth.boxes, truth.classes, truth.tracks, truth.areas, truth.crowd, truth.ignore, truth.distance_m)
    names = ("box", "class", "track", "area", "crowd", "ignore", "distance_m")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {
        "seq": moment.ref.seq,
        "time_s": moment.ref.time_s,
        "objects": [dict(zip(names, row, strict=True)) for row in rows],
    }


def _lines(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(finite(row), sort_keys=True) + "\n" for row in rows).encode()
