"""Corrected labels out of triage: what people called an unlabelled object or a label error, put into the labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hilgui.errors import CallWrong
from hilgui.evaluation import iou_matrix
from hilgui.records import Finding, Moment, Truth
from hilgui.records.triage import Triage, TriageState
from hilgui.store import RunReader
from hilgui.triage import Journal
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.writers import convert_labels

SCHEMA = "hilgui/corrections.v1"
_FOLLOWS = 0.3  # IoU from which a detection of the next frame is the same object
_TOUCHES = 0.1  # IoU from which a detection says where the box of a label should be

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Correction:
    """One box of one frame that was added, removed or changed, and why."""

    run: str
    finding: int
    frame: int  # seq
    key: str
    action: str  # "added", "removed", "changed"
    label: str
    before: _Box | None  # x1 y1 x2 y2 px
    after: _Box | None
    why: str  # state and note of the triage
    who_says: str  # "candidate .71": the detection that the new box was taken from


@dataclass(frozen=True, slots=True)
class Corrected:
    """One corrected label file."""

    labels: str  # the file that was corrected
    out: Path
    sidecar: Path
    corrections: tuple[Correction, ...]


def write_corrections(folders: Sequence[Path], home: Path, out: Path, *, force: bool = False) -> list[Corrected]:
    """Write a COCO file and a sidecar for each label file of the runs; raises CallWrong where nothing is to correct.

    `unlabelled_object` adds the detections of the finding's object. `label_error` moves the label's box to the
    detection that touches it and removes it where no model sees anything. These are proposals that a person has
    looked at through findings, frame by frame they are a model's boxes: look at them before you train.
    """
    by_labels: dict[str, list[Path]] = {}
    for folder in folders:
        with closing(RunReader(folder)) as reader:
            if reader.header.truth is None:
                raise CallWrong(f"{folder.name} has no labels that could be corrected")
            by_labels.setdefault(reader.header.truth.path, []).append(folder)
    done = [_corrected(path, runs, home, out, force=force) for path, runs in by_labels.items()]
    written = [each for each in done if each is not None]
    if not written:
        raise CallWrong("no finding of these runs is triaged as label_error or unlabelled_object; nothing to correct")
    return written


def _corrected(path: str, runs: list[Path], home: Path, out: Path, *, force: bool) -> Corrected | None:
    made: list[Correction] = []
    frames: dict[int, LabelledFrame] = {}
    names: tuple[str, ...] = ()
    for folder in runs:
        with closing(RunReader(folder)) as reader:
            names = names or reader.header.vocabulary.names
            if reader.header.vocabulary.names != names:
                raise CallWrong(f"{folder.name} names classes otherwise than the other runs; correct it by itself")
            made += _correct_run(reader, home, frames)
    if not made:
        return None
    stem = Path(path).name.removesuffix(".json").removesuffix(".coco")
    target, sidecar = out / f"{stem}.corrected.coco.json", out / f"{stem}.corrections.json"
    if sidecar.exists() and not force:
        raise CallWrong(f"{sidecar} exists; --force overwrites it, or give another folder")
    out.mkdir(parents=True, exist_ok=True)
    labels = Labels(Path(path), "hilgui", names, tuple(frames[seq] for seq in sorted(frames)), "")
    convert_labels(labels, target, "coco", force=force)
    told: dict[str, Any] = {"schema": SCHEMA, "labels": path, "corrected": target.name, "runs": [f.name for f in runs]}
    sidecar.write_text(json.dumps({**told, "corrections": [asdict(each) for each in made]}, indent=1) + "\n")
    return Corrected(path, target, sidecar, tuple(made))


def _correct_run(reader: RunReader, home: Path, frames: dict[int, LabelledFrame]) -> list[Correction]:
    header = reader.header
    standing = Journal(reader.folder, home, run_id=header.run_id).states()
    wanted = (TriageState.LABEL_ERROR, TriageState.UNLABELLED_OBJECT)
    chosen = [each for each in reader.findings() if standing.get(each.number, Triage()).state in wanted]
    moments = {moment.ref.seq: moment for moment in reader.moments() if moment.truth is not None}
    by_key = header.truth is not None and header.truth.join == "key"
    for seq, moment in moments.items():
        ref = moment.ref
        time_s = None if np.isnan(ref.time_s) else ref.time_s
        given = {"key": ref.key} if by_key else {"index": seq, "time_s": time_s}
        frames.setdefault(seq, LabelledFrame(moment.truth, width=ref.width, height=ref.height, **given))
    made: list[Correction] = []
    for finding in chosen:
        if finding.objects:
            made += _correct(reader, finding, standing[finding.number], moments, frames)
    return made


def _correct(
    reader: RunReader, finding: Finding, triage: Triage, moments: dict[int, Moment], frames: dict[int, LabelledFrame]
) -> Iterable[Correction]:
    """Correct the frames of one finding, from the worst outwards so that the object can be followed."""
    found = finding.objects[0]
    names = reader.header.vocabulary.names
    if found.label not in names:
        return
    number = names.index(found.label)
    why = f"{triage.state.value}: {triage.note}" if triage.note else triage.state.value
    before = [seq for seq in moments if finding.first_seq <= seq < finding.worst_seq][::-1]
    after = [seq for seq in moments if finding.worst_seq <= seq <= finding.last_seq]
    for seqs in (after, before):
        here: _Box = found.box
        for seq in seqs:
            moment = moments[seq]
            detected = _detected(moment, reader, number, here, _FOLLOWS)
            label = _label_row(frames[seq].truth, number, found.track, here)
            if label is not None:
                here = _box(frames[seq].truth, label)
            if triage.state is TriageState.UNLABELLED_OBJECT:
                label = None
            elif label is not None:
                detected = _detected(moment, reader, number, here, _TOUCHES)
            if detected is None and label is None:
                continue
            change = _apply(frames, seq, number, label, None if detected is None else detected[0])
            if change is None:
                continue
            if detected is not None:
                here = detected[0]
            yield Correction(
                run=reader.header.run_id,
                finding=finding.number,
                frame=seq,
                key=moment.ref.key,
                label=found.label,
                why=why,
                who_says="" if detected is None else detected[1],
                action=change[0],
                before=change[1],
                after=change[2],
            )


def _detected(moment: Moment, reader: RunReader, number: int, near: _Box, least: float) -> tuple[_Box, str] | None:
    """Give the detection of that class that overlaps a box best, of either model, with who says so."""
    best: tuple[float, _Box, str] | None = None
    for role, inference in moment.inferences.items():
        kept = inference.detections.first(inference.detections.count_above(reader.header.models[role].threshold))
        kept = kept.where(kept.classes == number)
        if not len(kept):
            continue
        overlap = iou_matrix(kept.boxes, np.array([near], np.float64))[:, 0]
        row = int(overlap.argmax())
        if overlap[row] >= least and (best is None or overlap[row] > best[0]):
            x1, y1, x2, y2 = (round(float(value), 2) for value in kept.boxes[row])
            best = (float(overlap[row]), (x1, y1, x2, y2), f"{role.value} {kept.scores[row]:.2f}")
    return None if best is None else (best[1], best[2])


def _label_row(truth: Truth | None, number: int, track: int, near: _Box) -> int | None:
    """Find the label that a finding is about: by its track, else where it overlaps best."""
    assert truth is not None
    same = truth.classes == number
    if track >= 0 and (rows := np.flatnonzero(same & (truth.tracks == track))).size:
        return int(rows[0])
    if not same.any():
        return None
    overlap = np.where(same, iou_matrix(truth.boxes, np.array([near], np.float64))[:, 0], 0.0)
    row = int(overlap.argmax())
    return row if overlap[row] >= _TOUCHES else None


def _apply(
    frames: dict[int, LabelledFrame], seq: int, number: int, label: int | None, box: _Box | None
) -> tuple[str, _Box | None, _Box | None] | None:
    """Put one box into the labels of a frame; None where the same box is there already."""
    truth = frames[seq].truth
    assert truth is not None
    if label is None and box is not None:
        same = truth.classes == number
        if same.any() and (iou_matrix(truth.boxes[same], np.array([box], np.float64)) >= 0.9).any():
            return None
        added = Truth.of(np.array([box]), np.array([number], np.int32))
        frames[seq] = replace(frames[seq], truth=truth.beside(added))
        return ("added", None, box)
    assert label is not None
    old = _box(truth, label)
    keep = np.arange(len(truth)) != label
    if box is None:
        frames[seq] = replace(frames[seq], truth=truth.where(keep))
        return ("removed", old, None)
    boxes, areas = truth.boxes.copy(), truth.areas.copy()
    boxes[label] = box
    areas[label] = (box[2] - box[0]) * (box[3] - box[1])
    frames[seq] = replace(frames[seq], truth=replace(truth, boxes=boxes, areas=areas))
    return ("changed", old, box)


def _box(truth: Truth | None, row: int) -> _Box:
    assert truth is not None
    x1, y1, x2, y2 = (float(value) for value in truth.boxes[row])
    return (x1, y1, x2, y2)
