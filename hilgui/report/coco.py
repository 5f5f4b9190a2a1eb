"""COCO: the truth of a run and the results of each model, as pycocotools and other evaluators read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from hilgui.records import Moment, Role
from hilgui.report.protocol import Progress, place_for, replacing_folder
from hilgui.report.run_labels import labelled_moments, labels_of
from hilgui.store import RunReader
from hilgui.truth.writers import coco_document
from hilgui.truth.writers.coco import FIRST_CATEGORY


class Coco:
    """Writes `truth.json` and one `<role>.json` of results (every stored detection, from score .001) into a folder.

    Only labelled frames are in it, because an evaluator counts every detection of an unlabelled one as wrong; `id` of
    an image counts these frames, `frame_index` is the frame of the run, `channel` the camera in a drive of several.
    Results of classes that the run does not judge are left out, as they are in its own figures.
    """

    name: ClassVar[str] = "coco"
    suffix: ClassVar[str] = ""
    file_name: ClassVar[str] = "coco"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the folder; see `Exporter.export`. Raises CallWrong for a run without labelled boxes."""
        moments = labelled_moments(reader, progress)
        place = place_for(reader, out, self.file_name)
        judged = reader.header.vocabulary.judged
        with replacing_folder(place) as folder:
            _write(folder / "truth.json", truth_document(reader, moments))
            for role in reader.header.models:
                _write(folder / f"{role.value}.json", results(moments, role, judged))
        return place


def truth_document(reader: RunReader, moments: list[Moment]) -> dict[str, Any]:
    """Give the labels of these frames; images of a drive of several cameras name theirs."""
    document = coco_document(labels_of(reader, moments))
    for image, moment in zip(document["images"], moments, strict=True):
        if moment.ref.channel:
            image["channel"] = moment.ref.channel
    document["info"] |= {"description": f"labels of the hilgui run {reader.header.run_id}"}
    return document


def results(moments: list[Moment], role: Role, judged: frozenset[int]) -> list[dict[str, Any]]:
    """Give what a model detected on these frames, as COCO's list of results."""
    return [
        {
            "image_id": number,
            "category_id": FIRST_CATEGORY + index,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "score": float(str(score)),  # the shortest number that names the stored one
        }
        for number, moment in enumerate(moments)
        if role in moment.inferences
        for found in (moment.inferences[role].detections,)
        for index, score, (x1, y1, x2, y2) in zip(
            found.classes.tolist(), found.scores, found.boxes.tolist(), strict=True
        )
        if index in judged
    ]


def _write(path: Path, document: object) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        json.dump(document, file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        file.write("\n")
