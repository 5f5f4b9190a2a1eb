"""The nearest objects that were found: as like the target as there are, so that what still differs is a reason."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

from hilgui.explanations.looks import Looks, looks_of
from hilgui.explanations.scene import Pictures, Scene
from hilgui.explanations.target import Box, Image
from hilgui.records import Judgement
from hilgui.store import RunReader

MEASURED = 60  # found objects whose pictures are looked at
SHOWN = 4


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """One object that was found."""

    run_id: str
    seq: int
    time_s: float
    box: Box
    track: int
    score: float
    looks: Looks
    unlike: float
    image: Image


@dataclass(frozen=True, slots=True)
class _Candidate:
    seq: int
    time_s: float
    box: Box
    track: int
    score: float
    unlike: float  # by place and size alone


def look_alikes(
    scene: Scene, image: Image, sources: list[tuple[RunReader, Pictures]], told: Callable[[int], object]
) -> tuple[Looks | None, list[Alike], list[Looks]]:
    """Give the looks of the target, the nearest found objects, one of each track, and the looks of all measured.

    `sources` are the run itself and others, whose same model (by its role) found objects of the same class.
    """
    target = looks_of(image, scene.target.box)
    if target is None:
        return None, [], []
    alike: list[Alike] = []
    for reader, pictures in sources:
        chosen = _candidates(reader, scene, image.shape[1], image.shape[0])
        for place, one in enumerate(sorted(chosen, key=lambda each: each.seq)):
            told(1 if place < MEASURED else 0)
            shown = pictures.at(one.seq)
            looks = None if shown is None else looks_of(shown, one.box)
            if shown is not None and looks is not None:
                run_id = reader.header.run_id
                alike.append(
                    Alike(
                        run_id, one.seq, one.time_s, one.box, one.track, one.score, looks, target.unlike(looks), shown
                    )
                )
        told(max(MEASURED - len(chosen), 0))
    alike.sort(key=lambda one: one.unlike)
    nearest: list[Alike] = []
    for like in alike:
        same = [each for each in nearest if each.run_id == like.run_id]
        if not any(each.seq == like.seq or (like.track >= 0 and each.track == like.track) for each in same):
            nearest.append(like)
        if len(nearest) == SHOWN:
            break
    return target, nearest, [like.looks for like in alike]


def _candidates(reader: RunReader, scene: Scene, width: int, height: int) -> list[_Candidate]:
    """Choose found objects of the class that are nearest by place and size, at most three of a track."""
    names = reader.header.vocabulary.names
    if scene.target.label not in names or scene.role not in reader.header.models:
        return []
    classed, own = names.index(scene.target.label), scene.target
    is_same_run = reader.header.run_id == scene.header.run_id
    tall, bottom = own.box[3] - own.box[1], own.box[3] / height
    across = (own.box[0] + own.box[2]) / 2 / width
    found: list[_Candidate] = []
    for moment in reader.moments():
        comparison, truth = moment.comparisons.get(scene.role), moment.truth
        if comparison is None or truth is None:
            continue
        if is_same_run and moment.ref.seq == scene.finding.worst_seq and not own.is_missed:
            continue
        said = moment.inferences[scene.role].detections
        for row, partner in enumerate(comparison.partner.tolist()):
            if partner < 0 or comparison.detections[row] != Judgement.MATCHED or truth.classes[partner] != classed:
                continue
            x1, y1, x2, y2 = truth.boxes[partner].tolist()
            apart = (
                math.log2(max(y2 - y1, 1.0) / max(tall, 1.0)) / 0.5,
                (y2 / moment.ref.height - bottom) / 0.15,
                ((x1 + x2) / 2 / moment.ref.width - across) / 0.3,
            )
            found.append(
                _Candidate(
                    moment.ref.seq,
                    moment.ref.time_s,
                    (x1, y1, x2, y2),
                    int(truth.tracks[partner]),
                    float(said.scores[row]),
                    math.hypot(*apart),
                )
            )
    chosen: list[_Candidate] = []
    of_track: dict[int, int] = {}
    for one in heapq.nsmallest(20 * MEASURED, found, key=lambda each: each.unlike):
        if one.track < 0 or of_track.get(one.track, 0) < 3:
            of_track[one.track] = of_track.get(one.track, 0) + 1
            chosen.append(one)
        if len(chosen) == MEASURED:
            break
    return chosen
