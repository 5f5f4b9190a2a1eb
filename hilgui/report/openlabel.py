"""ASAM OpenLABEL: the truth of a run on its own frames, with one stream for each camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from hilgui.records import Moment
from hilgui.report.protocol import Progress, place_for, replacing
from hilgui.report.run_labels import labelled_moments, labels_of
from hilgui.store import RunReader
from hilgui.truth.writers import openlabel_document


class OpenLabel:
    """Writes one JSON document (ASAM OpenLABEL 1.0): objects, frames by their number in the run, boxes, attributes."""

    name: ClassVar[str] = "openlabel"
    suffix: ClassVar[str] = ".json"
    file_name: ClassVar[str] = "openlabel.json"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`. Raises CallWrong for a run without labelled boxes."""
        document = document_of(reader, labelled_moments(reader, progress))
        place = place_for(reader, out, self.file_name)
        with replacing(place) as file:
            json.dump(document, file, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        return place


def document_of(reader: RunReader, moments: list[Moment]) -> dict[str, Any]:
    """Give the document; each frame of a drive of several cameras belongs to the stream of its own."""
    document = openlabel_document(labels_of(reader, moments))
    root = document["openlabel"]
    root["metadata"] |= {"name": reader.header.run_id, "annotator": f"hilgui {reader.header.version}"}
    root["frame_intervals"] = _intervals(sorted(int(number) for number in root["frames"]))
    if not any(moment.ref.channel for moment in moments):
        return dict(document)
    streams: dict[str, dict[str, Any]] = {}
    for moment in moments:
        ref = moment.ref
        size = {"width_px": ref.width, "height_px": ref.height}
        streams.setdefault(ref.channel, {"type": "camera", "stream_properties": {"intrinsics_pinhole": size}})
        root["frames"][str(ref.seq)]["frame_properties"]["streams"] = {ref.channel: {"uri": ref.key}}
    root["streams"] = streams
    return dict(document)


def _intervals(numbers: list[int]) -> list[dict[str, int]]:
    """Join frame numbers that follow each other."""
    intervals: list[dict[str, int]] = []
    for number in numbers:
        if intervals and intervals[-1]["frame_end"] == number - 1:
            intervals[-1]["frame_end"] = number
        else:
            intervals.append({"frame_start": number, "frame_end": number})
    return intervals
