"""MCAP with Foxglove's schemas: a run opens in a viewer with its kept pictures and the boxes on them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hilgui import colours
from hilgui.records import NO_CLASS, Finding, FrameRef, Judgement, Moment, Role, Severity
from hilgui.report import foxglove
from hilgui.report.protocol import Progress, place_for, replacing_file
from hilgui.store import RunReader

_THICK, _THIN = 3.0, 2.0  # px
_LEVELS = {Severity.LOW: foxglove.INFO, Severity.MEDIUM: foxglove.WARNING, Severity.HIGH: foxglove.ERROR}

Message = dict[str, Any]


class Mcap:
    """Writes the pictures that clips kept, the boxes of every evaluated frame, findings and signals on one clock.

    Topics: `/camera/image`, `/camera/truth`, `/camera/baseline`, `/camera/candidate`; a drive of several cameras has
    its camera's name for `camera`. `/findings` is a log, `/figures` and `/vehicle` hold numbers to plot. A message has
    the time of its frame; frames without a time of their own have the time at which they were captured.
    """

    name: ClassVar[str] = "mcap"
    suffix: ClassVar[str] = ".mcap"
    file_name: ClassVar[str] = "run.mcap"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`."""
        place, total = place_for(reader, out, self.file_name), reader.ledger.evaluated
        with replacing_file(place) as unfinished, unfinished.open("wb") as file:
            writer = foxglove.Writer(file)
            facts = {"run": reader.header.run_id, "header": json.dumps(reader.header.as_json(), ensure_ascii=False)}
            writer.start(facts)
            clock = _Clock()
            for done, moment in enumerate(reader.moments(), start=1):
                self._frame(reader, writer, moment, clock.ns(moment.ref))
                if done % 100 == 0 or done == total:
                    progress(done, total)
            for finding in reader.findings():
                writer.add("/findings", foxglove.LOG, log_of(finding, clock), clock.ns_of(finding))
            for name, unit, time_s, number in _signals(reader):
                at = clock.start_ns + round(time_s * 1e9)
                writer.add(f"/vehicle/{name}", foxglove.SIGNAL, {"value": number, "unit": unit}, at)
            writer.finish()
        return place

    def _frame(self, reader: RunReader, writer: foxglove.Writer, moment: Moment, at_ns: int) -> None:
        camera = topic_of(moment.ref.channel)
        jpeg = reader.picture(moment.ref.seq)
        if jpeg is not None:
            picture = {
                "timestamp": foxglove.time_of(at_ns),
                "frame_id": camera.removeprefix("/"),
                "data": base64.b64encode(jpeg).decode(),
                "format": "jpeg",
            }
            writer.add(f"{camera}/image", foxglove.IMAGE, picture, at_ns)
        for name, boxes in drawn_on(reader, moment).items():
            writer.add(f"{camera}/{name}", foxglove.ANNOTATIONS, foxglove.annotations_of(boxes, at_ns), at_ns)
        writer.add(f"{camera}/figures", foxglove.FIGURES, figures_of(moment), at_ns)


def topic_of(channel: str) -> str:
    """Name the camera of a topic: "/camera", or the camera's own name in a drive of several."""
    return "/" + (channel.strip("/") or "camera")


def drawn_on(reader: RunReader, moment: Moment) -> dict[str, list[foxglove.Box]]:
    """Give the boxes to draw by topic: the truth (missed ones say by whom), each model's above its threshold."""
    header, drawn = reader.header, {}
    if moment.truth is not None:
        drawn["truth"] = [
            foxglove.Box(
                (x1, y1, x2, y2),
                " ".join([header.vocabulary.name(index), *missed_by(moment, row)]),
                colours.ON_PICTURE["missed" if missed_by(moment, row) else "truth"],
                _THIN,
            )
            for row, ((x1, y1, x2, y2), index) in enumerate(
                zip(moment.truth.boxes.tolist(), moment.truth.classes.tolist(), strict=True)
            )
            if index != NO_CLASS and not moment.truth.ignore[row]
        ]
    for role, inference in moment.inferences.items():
        found = inference.detections.first(inference.detections.count_above(header.models[role].threshold))
        comparison = moment.comparisons.get(role)
        wrong = [] if comparison is None else (comparison.detections == Judgement.UNMATCHED).tolist()
        drawn[role.value] = [
            _detected(box, f"{header.vocabulary.name(index)} {score:.2f}", role, row < len(wrong) and wrong[row])
            for row, (box, index, score) in enumerate(
                zip(found.boxes.tolist(), found.classes.tolist(), found.scores.tolist(), strict=True)
            )
        ]
    return drawn


def _detected(box: list[float], label: str, role: Role, is_phantom: bool) -> foxglove.Box:
    x1, y1, x2, y2 = box
    colour = colours.ON_PICTURE["phantom" if is_phantom else role.value]
    return foxglove.Box((x1, y1, x2, y2), f"{label} phantom" if is_phantom else label, colour, _THICK)


def missed_by(moment: Moment, row: int) -> list[str]:
    """Say which models missed a truth."""
    roles = [role for role, one in moment.comparisons.items() if one.truths[row] == Judgement.UNMATCHED]
    return [f"missed by {' and '.join(role.value for role in roles)}"] if roles else []


def figures_of(moment: Moment) -> Message:
    """Give the numbers of one frame to plot: latency and counts by model, the disagreement; unknown ones are absent."""
    figures: Message = {"seq": moment.ref.seq}
    if moment.disagreement is not None:
        figures["disagreement"] = moment.disagreement.value
    for role in Role:
        if role in moment.inferences:
            figures[f"{role.value}_latency_ms"] = moment.inferences[role].latency_ms
        if role in moment.comparisons:
            judged = moment.comparisons[role]
            figures |= {f"{role.value}_missed": judged.missed, f"{role.value}_phantoms": judged.phantoms}
    return figures


def log_of(finding: Finding, clock: _Clock) -> Message:
    """Give a finding as a line of a log, at the time of its worst frame."""
    camera = f"camera {finding.channel}, " if finding.channel else ""
    role = f" ({finding.role.value})" if finding.role else ""
    return {
        "timestamp": foxglove.time_of(clock.ns_of(finding)),
        "level": _LEVELS[finding.severity],
        "message": f"{finding.kind.value}{role}, {camera}frames {finding.first_seq}-{finding.last_seq}: {finding.why}",
        "name": finding.channel or finding.kind.value,
        "file": "",
        "line": finding.number,
    }


class _Clock:
    """Gives every frame a time since 1970: the capture of the first one and the time of the recording since then."""

    def __init__(self) -> None:
        self.start_ns = 0
        self._stamps: dict[int, int] = {}  # of frames that have no time of their own
        self._first: datetime | None = None

    def ns(self, ref: FrameRef) -> int:
        if self._first is None:
            known = 0.0 if math.isnan(ref.time_s) else ref.time_s
            self._first = ref.stamp - timedelta(seconds=known)
            self.start_ns = round(self._first.timestamp() * 1e6) * 1000
        if math.isnan(ref.time_s):
            self._stamps[ref.seq] = round(ref.stamp.timestamp() * 1e6) * 1000
            return self._stamps[ref.seq]
        return self.start_ns + round(ref.time_s * 1e9)

    def ns_of(self, finding: Finding) -> int:
        if math.isnan(finding.worst_s):
            return self._stamps.get(finding.worst_seq, self.start_ns)
        return self.start_ns + round(finding.worst_s * 1e9)


def _signals(reader: RunReader) -> Iterator[tuple[str, str, float, float]]:
    for name, series in reader.series().items():
        for time_s, number in zip(series.times_s.tolist(), series.numbers.tolist(), strict=True):
            if math.isfinite(time_s) and math.isfinite(number) and time_s >= 0:
                yield name, series.unit, time_s, number
