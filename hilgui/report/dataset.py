"""Findings as a data set: their pictures with labels, ready for relabelling and retraining."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import BenchBroken, CallWrong, SourceBroken
from hilgui.records import Moment, RunHeader, Truth
from hilgui.report.dataset_clips import check_clips, write_clip
from hilgui.report.decided import triage_json
from hilgui.report.picture_names import picture_name
from hilgui.report.protocol import Progress, silent
from hilgui.sources import FrameSource, source_again
from hilgui.store import RunReader
from hilgui.triage import FindingRow
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.writers import convert_labels

SCHEMA = "hilgui/dataset.v1"
FORMATS = ("coco", "yolo", "kitti", "openlabel", "cvat")
_QUALITY = 95
_BLUR_SCORE = 0.05  # a detection this weak is blurred too: a face too many costs nothing
_GROW = 0.15  # of the box on each side

_Region = tuple[int, int, int, int]
_Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Blur:
    """What must not be recognisable: classes by name, and fixed regions x1 y1 x2 y2 px."""

    classes: tuple[str, ...] = ()
    regions: tuple[_Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """What one export wrote."""

    out: Path
    pictures: int
    labelled: int
    blurred: int  # places
    lost: tuple[str, ...]  # what the format does not hold


def export_dataset(
    rows: Sequence[FindingRow],
    out: Path,
    form: str,
    *,
    all_frames: bool = False,
    blur: Blur | None = None,
    clips: str = "",
    progress: Progress = silent,
) -> Exported:
    """Write pictures, labels and `dataset.json`; the worst frame of each finding, or all its frames.

    `clips` ("mp4" or "mcap") adds the clip of each finding.

    Labels are the truth of the run; frames without labels come as pictures to be labelled. Raises CallWrong for what
    cannot be met, BenchBroken where a picture is missing: with `blur`, nothing is exported that could not be blurred.
    """
    if form not in FORMATS:
        raise CallWrong(f"there is no data set format {form!r}; choose one of {', '.join(FORMATS)}")
    check_clips(clips)
    if out.exists() and any(out.iterdir()):
        raise CallWrong(f"{out} is not empty; give a new folder")
    if not rows:
        raise CallWrong("no finding is chosen; there is nothing to export")
    by_run: dict[Path, list[FindingRow]] = {}
    for row in rows:
        by_run.setdefault(row.folder, []).append(row)
    writer = _Writer(out, form, blur or Blur(), all_frames, clips)
    for folder, chosen in by_run.items():
        writer.check_run(folder, chosen)
    for done, (folder, chosen) in enumerate(by_run.items()):
        progress(done, len(by_run))
        writer.take_run(folder, chosen)
    progress(len(by_run), len(by_run))
    return writer.finish()


def blur_of(words: Sequence[str]) -> Blur:
    """Read classes and regions as people type them: "person", "0,600,400,720"; raises CallWrong."""
    classes: list[str] = []
    regions: list[tuple[int, int, int, int]] = []
    for word in words:
        parts = word.split(",")
        if all(part.strip().lstrip("-").isdigit() for part in parts):
            if len(parts) != 4:
                raise CallWrong(f"--blur {word!r} is no region; give x1,y1,x2,y2 in pixels")
            x1, y1, x2, y2 = (int(part) for part in parts)
            regions.append((x1, y1, x2, y2))
        else:
            classes += [part.strip() for part in parts if part.strip()]
    return Blur(tuple(classes), tuple(regions))


class _Writer:
    """Collects frames of all runs; pictures are written as they come, labels at the end."""

    def __init__(self, out: Path, form: str, blur: Blur, all_frames: bool, clips: str) -> None:
        self._out, self._form, self._blur, self._all, self._clips = out, form, blur, all_frames, clips
        self._names: tuple[str, ...] = ()
        self._frames: list[LabelledFrame] = []
        self._told: list[dict[str, Any]] = []
        self._told_clips: list[dict[str, Any]] = []
        self._findings: list[dict[str, Any]] = []
        self._blurred = 0

    def check_run(self, folder: Path, rows: list[FindingRow]) -> None:
        """Find out what cannot be met before anything is written: other classes, a picture that nobody has."""
        with closing(RunReader(folder)) as reader:
            header = reader.header
            self._names = self._names or header.vocabulary.names
            if header.vocabulary.names != self._names:
                raise CallWrong(f"{folder.name} names classes otherwise than the other runs; export it by itself")
            self._blurred_classes(header)
            source = _source(header)
            if source is not None:
                source.close()
                return
            wanted = set(self._wanted(rows))
            for row in rows if self._clips else ():
                wanted |= set(_clip_of(row))
            for seq in sorted(wanted):
                if reader.moment(seq) is not None and reader.picture(seq) is None:
                    raise _no_picture(reader, seq)

    def take_run(self, folder: Path, rows: list[FindingRow]) -> None:
        self._findings += [
            {
                "run": row.run_id,
                "number": row.finding.number,
                "kind": row.kind.value,
                "severity": row.severity.label,
                "why": row.finding.why,
                "triage": triage_json(row.triage),
            }
            for row in rows
        ]
        with closing(RunReader(folder)) as reader:
            header = reader.header
            blurred = self._blurred_classes(header)
            source = _source(header)
            try:
                for seq, numbers in sorted(self._wanted(rows).items()):
                    moment = reader.moment(seq)
                    if moment is not None:
                        self._take_frame(reader, source, moment, numbers, blurred)
                for row in rows if self._clips else ():
                    self._take_clip(reader, source, row, blurred)
            finally:
                if source is not None:
                    source.close()

    def finish(self) -> Exported:
        labelled = [frame for frame in self._frames if frame.truth is not None]
        lost: tuple[str, ...] = ()
        if labelled:
            labels = Labels(self._out, "hilgui", self._names, tuple(labelled), "")
            one_file = {
                "coco": "annotations.coco.json",
                "openlabel": "annotations.openlabel.json",
                "cvat": "annotations.xml",
            }
            target = self._out / one_file.get(self._form, "" if self._form == "yolo" else "labels")
            lost = convert_labels(labels, target, self._form).lost
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "format": self._form,
            "classes": self._names,
            "pictures": self._told,
            "findings": self._findings,
        }
        if self._clips:
            document["clips"] = self._told_clips
        (self._out / "dataset.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        return Exported(self._out, len(self._told), len(labelled), self._blurred, lost)

    def _wanted(self, rows: list[FindingRow]) -> dict[int, list[int]]:
        wanted: dict[int, list[int]] = {}
        for row in rows:
            finding = row.finding
            seqs = range(finding.first_seq, finding.last_seq + 1) if self._all else (finding.worst_seq,)
            for seq in seqs:
                wanted.setdefault(seq, []).append(finding.number)
        return wanted

    def _blurred_classes(self, header: RunHeader) -> frozenset[int]:
        names = [name.casefold() for name in header.vocabulary.names]
        strange = [name for name in self._blur.classes if name.casefold() not in names]
        if strange:
            raise CallWrong(
                f"neither labels nor models of {header.run_id} know where a {strange[0]!r} is, so nothing is exported"
                f" unblurred; blur one of {', '.join(header.vocabulary.names[:10])}, or a region x1,y1,x2,y2"
            )
        return frozenset(names.index(name.casefold()) for name in self._blur.classes)

    def _take_clip(
        self, reader: RunReader, source: FrameSource | None, row: FindingRow, blurred: frozenset[int]
    ) -> None:
        header, seqs = reader.header, _clip_of(row)
        thresholds = {role: facts.threshold for role, facts in header.models.items()}

        def pictures() -> Iterator[tuple[Moment, _Pixels]]:
            for moment in reader.moments(seqs[0], seqs[-1]):
                image = _picture(reader, source, moment.ref.seq)
                for place in (*self._blur.regions, *_places(moment, blurred)):
                    _blur(image, place)
                yield moment, image

        name = f"clips/{header.run_id}_{row.finding.number:05d}.{self._clips}"
        frames = write_clip(self._out / name, pictures(), header.source.fps, header.vocabulary, thresholds)
        self._told_clips.append(
            {"file": name, "run": header.run_id, "finding": row.finding.number, "first": seqs[0], "frames": frames}
        )

    def _take_frame(
        self,
        reader: RunReader,
        source: FrameSource | None,
        moment: Moment,
        numbers: list[int],
        blurred: frozenset[int],
    ) -> None:
        image = _picture(reader, source, moment.ref.seq)
        height, width = image.shape[:2]
        places = [*self._blur.regions, *_places(moment, blurred)]
        for place in places:
            _blur(image, place)
        self._blurred += len(places)
        name = picture_name(reader.header.run_id, moment.ref.seq)
        _save(self._out / "images" / name, image)
        truth: Truth | None = moment.truth
        self._frames.append(LabelledFrame(truth, key=name, width=width, height=height))
        self._told.append(
            {
                "file": f"images/{name}",
                "run": reader.header.run_id,
                "frame": moment.ref.seq,
                "findings": numbers,
                "labelled": truth is not None,
                "blurred": len(places),
            }
        )


def _clip_of(row: FindingRow) -> range:
    """Give the frames of the clip of a finding."""
    finding = row.finding
    first = finding.first_seq if finding.clip_first is None else finding.clip_first
    last = finding.last_seq if finding.clip_last is None else finding.clip_last
    return range(first, last + 1)


def _places(moment: Moment, classes: frozenset[int]) -> list[_Region]:
    """Give where objects of these classes may be: where labels or any model says so, however faintly."""
    if not classes:
        return []
    boxes: list[NDArray[Any]] = []
    wanted = np.array(sorted(classes))
    if moment.truth is not None:
        boxes.append(moment.truth.boxes[np.isin(moment.truth.classes, wanted)])
    for inference in moment.inferences.values():
        found = inference.detections.first(inference.detections.count_above(_BLUR_SCORE))
        boxes.append(found.boxes[np.isin(found.classes, wanted)])
    places = []
    for x1, y1, x2, y2 in np.concatenate(boxes).tolist() if boxes else []:
        grow_x, grow_y = (x2 - x1) * _GROW, (y2 - y1) * _GROW
        places.append((round(x1 - grow_x), round(y1 - grow_y), round(x2 + grow_x), round(y2 + grow_y)))
    return places


def _blur(image: _Pixels, place: _Region) -> None:
    """Reduce a place to a few flat blocks, in place: blocks cannot be sharpened again as a soft blur can."""
    height, width = image.shape[:2]
    x1, x2 = sorted((min(max(place[0], 0), width), min(max(place[2], 0), width)))
    y1, y2 = sorted((min(max(place[1], 0), height), min(max(place[3], 0), height)))
    if x2 - x1 < 1 or y2 - y1 < 1:
        return
    cut = image[y1:y2, x1:x2]
    small = cv2.resize(cut, (max(min(6, x2 - x1), 1), max(min(6, y2 - y1), 1)), interpolation=cv2.INTER_AREA)
    image[y1:y2, x1:x2] = cv2.resize(small, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)


def _source(header: RunHeader) -> FrameSource | None:
    """Open the recording; None where only the clips are left."""
    if header.source.live:
        return None
    try:
        source = source_again(header.source)
        if source.open().sha256 != header.source.sha256:
            source.close()
            return None
        return source
    except SourceBroken:
        return None


def _picture(reader: RunReader, source: FrameSource | None, seq: int) -> _Pixels:
    if source is not None:
        with suppress(SourceBroken, IndexError):  # the clip may have it
            return np.array(source.frame_at(seq).image, np.uint8)
    kept = reader.picture(seq)
    image = None if kept is None else cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise _no_picture(reader, seq)
    return image.astype(np.uint8, copy=False)


def _no_picture(reader: RunReader, seq: int) -> BenchBroken:
    return BenchBroken(
        f"there is no picture of frame {seq} of {reader.folder.name}: its recording is gone and no clip kept it;"
        " `hilgui runs relink` finds a recording that moved",
        path=reader.folder,
    )


def _save(path: Path, image: _Pixels) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_made, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not is_made:
            raise BenchBroken(f"{path} cannot be encoded", path=path)
        path.write_bytes(jpeg.tobytes())
    except OSError as failure:
        raise BenchBroken(f"{path} cannot be written: {failure.strerror or failure}", path=path) from failure
