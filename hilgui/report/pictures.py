"""Pictures of findings for a page: a kept frame made small, the object cut out, and the boxes to draw on both."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import iou_matrix
from hilgui.records import Finding, Judgement, Kind, Moment, Role, RunHeader
from hilgui.store import RunReader

FULL_PX = 640  # widest picture of a whole frame
CROP_PX = 360  # widest picture of an object
CROP_FACTOR = 2.6  # side of the cut-out in sizes of the object
SMALLEST_CROP_PX = 90  # in the original frame
SAME_OBJECT_IOU = 0.3  # boxes that overlap the subject this much speak of it and are named
SAME_BOX_PX = 0.6
WIDEST_CROP = 0.6  # of the frame; objects that are spread farther are not cut out
QUALITY = 80
OF_LABELS = frozenset({Kind.MISSED_CRITICAL, Kind.MISSED_OBJECT, Kind.LATE_DETECTION, Kind.GAP, Kind.IDENTITY_SWITCH})

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Overlay:
    """One box to draw, in pixels of the original frame."""

    style: str  # truth, baseline, candidate, missed, phantom
    box: Box
    label: str
    is_subject: bool  # what the finding is about
    is_named: bool  # lies on the subject, so its label matters

    @property
    def width(self) -> float:
        """Give the width in pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Give the height in pixels."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class View:
    """A part of the frame as a picture inside the page."""

    box: Box  # of the original frame
    uri: str

    @property
    def width(self) -> float:
        """Give the width in pixels of the original frame."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Give the height in pixels of the original frame."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class FindingPicture:
    """The worst frame of a finding."""

    full: View
    crop: View | None  # None where the finding is about the whole frame
    overlays: tuple[Overlay, ...]


def picture_of(reader: RunReader, finding: Finding) -> FindingPicture | None:
    """Make the pictures of a finding's worst frame; None where no picture was kept or it cannot be decoded."""
    jpeg = reader.picture(finding.worst_seq)
    moment = reader.moment(finding.worst_seq)
    if jpeg is None or moment is None:
        return None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    height, width = image.shape[:2]
    pixels = np.asarray(image, np.uint8)
    around = crop_box(finding, width, height)
    return FindingPicture(
        full=_view(pixels, (0, 0, width, height), FULL_PX),
        crop=None if around is None else _view(pixels, around, CROP_PX),
        overlays=overlays_of(finding, moment, reader.header),
    )


def crop_box(finding: Finding, width: int, height: int) -> Box | None:
    """Choose a 4:3 part of the frame around the objects of a finding; None where there are none or all over it."""
    if not finding.objects:
        return None
    boxes = np.array([found.box for found in finding.objects])
    x1, y1 = boxes[:, :2].min(axis=0)
    x2, y2 = boxes[:, 2:].max(axis=0)
    side = max(SMALLEST_CROP_PX, CROP_FACTOR * max((x2 - x1) * 0.75, y2 - y1))
    tall = min(side, height, width * 0.75)
    wide = tall / 0.75
    if x2 - x1 > WIDEST_CROP * width:
        return None
    left = float(np.clip((x1 + x2 - wide) / 2, 0, width - wide))
    top = float(np.clip((y1 + y2 - tall) / 2, 0, height - tall))
    return (round(left), round(top), round(left + wide), round(top + tall))


def overlays_of(finding: Finding, moment: Moment, header: RunHeader) -> tuple[Overlay, ...]:
    """Give the boxes of a frame, the subject of the finding last, so that it lies on top.

    An object that no model and no label has on this frame (it flickers) is drawn where the finding says it was.
    """
    overlays = [*_truths(finding, moment, header)]
    for role in header.models:
        overlays.extend(_detections(finding, moment, header, role))
    if finding.kind is Kind.FLICKER and not any(overlay.is_subject for overlay in overlays):
        overlays.extend(
            Overlay("missed", found.box, f"{found.label} · gone", is_subject=True, is_named=True)
            for found in finding.objects
        )
    return tuple(sorted(_merged(overlays), key=lambda overlay: overlay.is_subject))


def _merged(overlays: list[Overlay]) -> list[Overlay]:
    """Draw a box once where a model reports it with several classes."""
    merged: list[Overlay] = []
    for overlay in overlays:
        for index, other in enumerate(merged):
            if other.style == overlay.style and np.allclose(other.box, overlay.box, atol=SAME_BOX_PX):
                merged[index] = replace(
                    other,
                    label=f"{other.label} / {overlay.label}",
                    is_subject=other.is_subject or overlay.is_subject,
                    is_named=other.is_named or overlay.is_named,
                )
                break
        else:
            merged.append(overlay)
    return merged


def _truths(finding: Finding, moment: Moment, header: RunHeader) -> list[Overlay]:
    if moment.truth is None:
        return []
    missed = np.zeros(len(moment.truth), np.bool_)
    if finding.role in moment.comparisons:
        missed = moment.comparisons[finding.role].truths == Judgement.UNMATCHED
    counted = ~(moment.truth.ignore | moment.truth.crowd) & (moment.truth.classes >= 0)
    overlays = []
    for row in np.flatnonzero(counted).tolist():
        box = _box(moment.truth.boxes[row])
        is_subject = finding.kind in OF_LABELS and _is_one_of(box, finding)
        name = header.vocabulary.name(int(moment.truth.classes[row]))
        style = "missed" if missed[row] else "truth"
        overlays.append(_overlay(style, box, f"{name} · missed" if missed[row] else name, finding, is_subject))
    return overlays


def _detections(finding: Finding, moment: Moment, header: RunHeader, role: Role) -> list[Overlay]:
    inference, comparison = moment.inferences.get(role), moment.comparisons.get(role)
    if inference is None:
        return []
    shown = inference.detections.first(inference.detections.count_above(header.models[role].threshold))
    overlays = []
    for row in range(len(shown)):
        if int(shown.classes[row]) not in header.vocabulary.judged:
            continue
        box = _box(shown.boxes[row])
        is_subject = finding.role is role and finding.kind not in OF_LABELS and _is_one_of(box, finding)
        is_phantom = comparison is not None and comparison.detections[row] == Judgement.UNMATCHED
        label = f"{header.vocabulary.name(int(shown.classes[row]))} {shown.scores[row]:.2f}"
        if is_subject and is_phantom:
            overlays.append(_overlay("phantom", box, f"{label} · phantom", finding, True))
        else:
            overlays.append(_overlay(role.value, box, label, finding, is_subject))
    return overlays


def _overlay(style: str, box: Box, label: str, finding: Finding, is_subject: bool) -> Overlay:
    subjects = np.array([found.box for found in finding.objects]).reshape(-1, 4)
    overlaps = iou_matrix(np.array([box]), subjects)
    return Overlay(style, box, label, is_subject, is_subject or bool((overlaps >= SAME_OBJECT_IOU).any()))


def _box(row: NDArray[np.float64] | NDArray[np.float32]) -> Box:
    x1, y1, x2, y2 = (round(float(value), 1) for value in row)
    return (x1, y1, x2, y2)


def _is_one_of(box: Box, finding: Finding) -> bool:
    return any(np.allclose(box, found.box, atol=SAME_BOX_PX) for found in finding.objects)


def _view(image: NDArray[np.uint8], box: Box, widest: int) -> View:
    x1, y1, x2, y2 = (int(value) for value in box)
    part = image[y1:y2, x1:x2]
    if part.shape[1] > widest:
        size = (widest, max(1, round(part.shape[0] * widest / part.shape[1])))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return View(box, "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode())
