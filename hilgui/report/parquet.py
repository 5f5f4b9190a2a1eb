"""Parquet: frames, detections, truths and findings as four tables in one folder, for data frames and databases."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hilgui.records import NO_TRACK, Judgement, Moment, Role, RunHeader, Truth
from hilgui.report.csv_table import rows
from hilgui.report.decided import decided, triage_json
from hilgui.report.protocol import Progress, place_for, replacing_folder
from hilgui.store import RunReader

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 2000  # frames of a row group
_OF_DETECTION = np.array(["", "matched", "phantom", "ignored"])  # by Judgement; "" below the threshold
_OF_TRUTH = np.array(["", "matched", "missed", "ignored"])
_WHOLE = ("labelled", "truths", "invalid", "detections", "matched", "missed", "phantoms")
_WORDS = ("channel", "key", "stamp", "fate", "reason", "findings")

Columns = dict[str, Any]


class Parquet:
    """Writes `frames.parquet`, `detections.parquet`, `truths.parquet` and `findings.parquet`.

    `seq` joins them; boxes are x1 y1 x2 y2 in pixels, a value that is not known is null. The metadata of each file
    holds the header of the run as JSON under `hilgui.header`.
    """

    name: ClassVar[str] = "parquet"
    suffix: ClassVar[str] = ""
    file_name: ClassVar[str] = "parquet"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the folder; see `Exporter.export`."""
        place = place_for(reader, out, self.file_name)
        with replacing_folder(place) as folder:
            _write(folder / "frames.parquet", frame_schema(reader.header), _frames(reader), reader.header)
            total = reader.ledger.evaluated
            pages = _Pages(folder, reader.header)
            with pages:
                for done, moment in enumerate(reader.moments(), start=1):
                    pages.take(moment)
                    if done % 100 == 0 or done == total:
                        progress(done, total)
            _write(folder / "findings.parquet", finding_schema(), _findings(reader), reader.header)
        return place


def frame_schema(header: RunHeader) -> pa.Schema:
    """Name and type the columns of the frames; those of each model carry its role in front."""
    import pyarrow as pa

    from hilgui.report.csv_table import columns

    def type_of(name: str) -> pa.DataType:
        if name == "seq":
            return pa.int64()
        if name in _WORDS:
            return pa.string()
        return pa.int32() if name.rpartition("_")[2] in _WHOLE else pa.float64()

    return pa.schema([(name, type_of(name)) for name in columns(header)])


def detection_schema() -> pa.Schema:
    """Name and type the columns of the detections: every stored one, `above` where it reaches the card's threshold."""
    import pyarrow as pa

    box = [(name, pa.float32()) for name in ("x1", "y1", "x2", "y2")]
    return pa.schema(
        [("seq", pa.int64()), ("channel", pa.string()), ("time_s", pa.float64()), ("role", pa.string()),
         ("class", pa.string()), ("score", pa.float32()), *box, ("above", pa.bool_()), ("judgement", pa.string()),
         ("iou", pa.float32())]
    )  # fmt: skip


def truth_schema() -> pa.Schema:
    """Name and type the columns of the truths; the class of a region without class is null."""
    import pyarrow as pa

    box = [(name, pa.float64()) for name in ("x1", "y1", "x2", "y2")]
    return pa.schema(
        [("seq", pa.int64()), ("channel", pa.string()), ("time_s", pa.float64()), ("class", pa.string()), *box,
         ("track", pa.int64()), ("ignore", pa.bool_()), ("crowd", pa.bool_()), ("distance_m", pa.float32()),
         ("occlusion", pa.float32()), *((role.value, pa.string()) for role in Role)]
    )  # fmt: skip


def finding_schema() -> pa.Schema:
    """Name and type the columns of the findings; the box is that of the first object on the worst frame."""
    import pyarrow as pa

    whole = [(name, pa.int64()) for name in ("first_seq", "last_seq", "worst_seq", "frames")]
    times = [(name, pa.float64()) for name in ("first_s", "last_s", "worst_s")]
    suspects = ("suspect", "suspect_role", "suspect_why")
    words = [(name, pa.string()) for name in ("why", "level", "trigger", *suspects, "class")]
    box = [(name, pa.float64()) for name in ("x1", "y1", "x2", "y2")]
    return pa.schema(
        [("number", pa.int64()), ("kind", pa.string()), ("severity", pa.string()), ("role", pa.string()),
         ("channel", pa.string()), *whole, *times, *words, *box,
         ("state", pa.string()), ("tags", pa.list_(pa.string())), ("assignee", pa.string()), ("note", pa.string()),
         ("evidence", pa.map_(pa.string(), pa.float64()))]
    )  # fmt: skip


class _Pages:
    """Writes detections and truths in row groups while the frames go by."""

    def __init__(self, folder: Path, header: RunHeader) -> None:
        self._folder, self._header = folder, header
        self._tables = {"detections": detection_schema(), "truths": truth_schema()}
        self._waiting: dict[str, list[Columns]] = {name: [] for name in self._tables}
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> None:
        import pyarrow.parquet as pq

        for name, schema in self._tables.items():
            told = schema.with_metadata(_metadata(self._header))
            self._writers[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", told, compression="zstd")

    def __exit__(self, *_: object) -> None:
        try:
            for name in self._tables:
                self._flush(name)
        finally:
            for writer in self._writers.values():
                writer.close()

    def take(self, moment: Moment) -> None:
        for role in moment.inferences:
            self._waiting["detections"].append(_detections(moment, role, self._header))
        if moment.truth is not None:
            self._waiting["truths"].append(_truths(moment.truth, moment, self._header))
        for name, waiting in self._waiting.items():
            if len(waiting) >= _GROUP:
                self._flush(name)

    def _flush(self, name: str) -> None:
        import pyarrow as pa

        waiting, self._waiting[name] = self._waiting[name], []
        if waiting:
            joined = {column: np.concatenate([each[column] for each in waiting]) for column in waiting[0]}
            arrays = [
                pa.array(joined[field.name], field.type, from_pandas=True)  # NaN and None become null
                for field in self._tables[name]
            ]
            self._writers[name].write_table(pa.Table.from_arrays(arrays, schema=self._tables[name]))


def _frame_of(moment: Moment, count: int) -> Columns:
    ref = moment.ref
    return {
        "seq": np.full(count, ref.seq, np.int64),
        "channel": np.full(count, ref.channel, object),
        "time_s": np.full(count, ref.time_s),
    }


def _detections(moment: Moment, role: Role, header: RunHeader) -> Columns:
    found, comparison = moment.inferences[role].detections, moment.comparisons.get(role)
    count = len(found)
    judgement, overlap = np.full(count, None, object), np.full(count, np.nan, np.float32)
    if comparison is not None:
        judged = len(comparison.detections)
        judgement[:judged] = _OF_DETECTION[comparison.detections]
        overlap[:judged] = comparison.iou
    return {
        **_frame_of(moment, count),
        "role": np.full(count, role.value, object),
        "class": _names(found.classes, header),
        "score": found.scores,
        **dict(zip(("x1", "y1", "x2", "y2"), found.boxes.T, strict=True)),
        "above": np.arange(count) < found.count_above(header.models[role].threshold),
        "judgement": judgement,
        "iou": overlap,
    }


def _truths(truth: Truth, moment: Moment, header: RunHeader) -> Columns:
    judged = {
        role.value: _OF_TRUTH[moment.comparisons[role].truths].astype(object)
        if role in moment.comparisons
        else np.full(len(truth), None, object)
        for role in Role
    }
    tracks = truth.tracks.astype(object)
    tracks[truth.tracks == NO_TRACK] = None
    return {
        **_frame_of(moment, len(truth)),
        "class": _names(truth.classes, header),
        **dict(zip(("x1", "y1", "x2", "y2"), truth.boxes.T, strict=True)),
        "track": tracks,
        "ignore": truth.ignore,
        "crowd": truth.crowd,
        "distance_m": truth.distance_m,
        "occlusion": truth.occlusion,
        **judged,
    }


def _names(classes: Any, header: RunHeader) -> Any:
    names = np.array([*header.vocabulary.names, None], object)
    return names[np.where((classes >= 0) & (classes < len(names) - 1), classes, len(names) - 1)]


def _frames(reader: RunReader) -> Iterator[dict[str, Any]]:
    for row in rows(reader):
        yield {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


def _findings(reader: RunReader) -> Iterator[dict[str, Any]]:
    from hilgui.store.codec import finding_json

    standing = decided(reader)
    for finding in reader.findings():
        plain = finding_json(finding)
        first = finding.objects[0] if finding.objects else None
        box = {} if first is None else dict(zip(("x1", "y1", "x2", "y2"), first.box, strict=True))
        yield {
            **plain,
            "class": None if first is None else first.label,
            **box,
            **triage_json(standing[finding.number]),
            "evidence": list(plain["evidence"].items()),
        }


def _write(path: Path, schema: pa.Schema, lines: Iterator[Mapping[str, Any]], header: RunHeader) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[Mapping[str, Any]] = []
    with pq.ParquetWriter(path, schema.with_metadata(_metadata(header)), compression="zstd") as writer:

        def flush() -> None:
            columns = [pa.array([line.get(field.name) for line in waiting], field.type) for field in schema]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            waiting.clear()

        for line in lines:
            waiting.append(line)
            if len(waiting) == _GROUP:
                flush()
        flush()


def _metadata(header: RunHeader) -> dict[str, str]:
    return {"hilgui.header": json.dumps(header.as_json(), ensure_ascii=False)}


assert len(_OF_TRUTH) == len(_OF_DETECTION) == max(Judgement) + 1
