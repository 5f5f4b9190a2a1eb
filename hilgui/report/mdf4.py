"""ASAM MDF4: what the bench measured as signals beside the vehicle's own, for CANape, INCA, asammdf and the like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.records import Finding, Moment, Role
from hilgui.report.protocol import Progress, place_for, replacing_file
from hilgui.store import RoleTimeline, RunReader, Timeline

Numbers = NDArray[np.float64]
Column = tuple[str, str, Numbers]  # name, unit, values


class Mdf4:
    """Writes one channel group a camera with the figures of its frames, and one for each signal of the vehicle.

    All groups count seconds on the clock of the run; the file's start is the time of its first frame. `findings` counts
    the corner cases under way, `finding_<kind>` those of one kind. Frames on which a number is not known are marked
    invalid, lost frames have none but `lost`. Names of a drive of several cameras end in the camera's.
    """

    name: ClassVar[str] = "mdf4"
    suffix: ClassVar[str] = ".mf4"
    file_name: ClassVar[str] = "run.mf4"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`. Raises CallWrong for frames without time."""
        from asammdf import MDF

        timeline = reader.timeline()
        if not len(timeline.seq) or np.isnan(timeline.time_s).any():
            raise CallWrong(f"{reader.header.run_id} has frames without time, and MDF4 is made of times; use csv")
        place = place_for(reader, out, self.file_name).with_suffix(self.suffix)
        channels = _channels(reader, progress)
        with replacing_file(place) as unfinished, MDF(version="4.10") as file:
            started = _started(reader)
            if started is not None:
                file.start_time = started
            for channel in sorted(set(channels)):
                rows = np.array([each == channel for each in channels])
                _add(
                    file, timeline.time_s[rows], _columns(reader, timeline, rows, channel), f"frames {channel}".strip()
                )
            for name, series in reader.series().items():
                _add(file, series.times_s, [(name, series.unit, series.numbers)], f"vehicle {name}")
            file.header.comment = _comment(reader)
            file.save(unfinished, overwrite=True, compression=2)
        return place


def _channels(reader: RunReader, progress: Progress) -> list[str]:
    """Name the camera of each frame; only a drive of several has to be looked through."""
    count = len(reader.timeline().seq)
    if not reader.header.source.channels:
        progress(count, count)
        return [""] * count
    from hilgui.report.frames import captured_frames

    names = []
    for done, item in enumerate(captured_frames(reader), start=1):
        names.append(item.ref.channel)
        if done % 100 == 0 or done == count:
            progress(done, count)
    return names


def _columns(reader: RunReader, timeline: Timeline, rows: NDArray[np.bool_], channel: str) -> list[Column]:
    seq, lost = timeline.seq[rows], (timeline.fate[rows] > 0).astype(np.float64)
    labelled = timeline.with_truth[rows]
    columns: list[Column] = [
        ("seq", "", seq.astype(np.float64)),
        ("lost", "", lost),
        ("disagreement", "", timeline.disagreement[rows].astype(np.float64)),
    ]
    for role, line in timeline.roles.items():
        columns += _of_model(role, line, rows, labelled)
    findings = [each for each in reader.findings() if each.channel == channel]
    columns.append(("findings", "", _active(findings, seq)))
    columns += [
        (f"finding_{kind}", "", _active([each for each in findings if each.kind.value == kind], seq))
        for kind in sorted({each.kind.value for each in findings})
    ]
    end = f"_{channel}" if channel else ""
    return [(f"{name}{end}", unit, values) for name, unit, values in columns]


def _of_model(role: Role, line: RoleTimeline, rows: NDArray[np.bool_], labelled: NDArray[np.bool_]) -> Iterator[Column]:
    ran = line.ran[rows]
    for name in ("latency", "preprocess", "run", "postprocess"):
        yield f"{role.value}_{name}", "ms", getattr(line, f"{name}_ms")[rows].astype(np.float64)
    yield f"{role.value}_detections", "", np.where(ran, line.detections[rows], np.nan)
    for name in ("matched", "missed", "phantoms"):
        yield f"{role.value}_{name}", "", np.where(ran & labelled, getattr(line, name)[rows], np.nan)


def _active(findings: list[Finding], seq: NDArray[np.int64]) -> Numbers:
    """Count the findings that span each frame."""
    active = np.zeros(len(seq))
    for each in findings:
        first, last = np.searchsorted(seq, [each.first_seq, each.last_seq + 1])
        active[first:last] += 1
    return active


def _add(file: Any, times_s: Numbers, columns: list[Column], name: str) -> None:
    from asammdf import Signal

    signals = [
        Signal(
            samples=np.where(np.isnan(values), 0.0, values),
            timestamps=times_s,
            name=column,
            unit=unit,
            invalidation_bits=np.isnan(values) if np.isnan(values).any() else None,
        )
        for column, unit, values in columns
        if len(values) and not np.isnan(values).all()
    ]
    if signals:
        file.append(signals, acq_name=name, comment=name, common_timebase=True)


def _started(reader: RunReader) -> Any:
    first: Moment | None = next(iter(reader.moments()), None)
    if first is None or math.isnan(first.ref.time_s):
        return None
    return first.ref.stamp - timedelta(seconds=first.ref.time_s)


def _comment(reader: RunReader) -> str:
    from hilgui.report.attested import attested_in_words

    header = reader.header
    verdict = reader.verdict
    return "\n".join(
        [
            f"hilgui {header.version}, run {header.run_id}, drive {header.source.name} sha256 {header.source.sha256}",
            f"verdict {verdict.outcome.value if verdict else 'none yet'}",
            *attested_in_words(header),
        ]
    )
