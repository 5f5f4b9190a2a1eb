"""The labels of a stored run, as the writers of label formats take them."""

from __future__ import annotations

from hilgui.errors import CallWrong
from hilgui.records import Moment
from hilgui.report.protocol import Progress
from hilgui.store import RunReader
from hilgui.truth.protocol import LabelledFrame, Labels


def labelled_moments(reader: RunReader, progress: Progress) -> list[Moment]:
    """Give the frames whose boxes the labels know, in order; raises CallWrong where there are none, StoreBroken."""
    total = reader.ledger.evaluated
    found = []
    for done, moment in enumerate(reader.moments(), start=1):
        if moment.truth is not None:
            found.append(moment)
        if done % 100 == 0 or done == total:
            progress(done, total)
    if not found:
        raise CallWrong(
            f"{reader.header.run_id} was judged without labelled boxes, and this format is made of them;"
            " csv, jsonl, parquet and mcap hold a run without labels too"
        )
    return found


def labels_of(reader: RunReader, moments: list[Moment]) -> Labels:
    """Give the truth of these frames as one label file; frames are numbered as in the run."""
    header = reader.header
    frames = tuple(
        LabelledFrame(
            moment.truth,
            key=moment.ref.key,
            index=moment.ref.seq,
            time_s=moment.ref.time_s if moment.ref.time_s == moment.ref.time_s else None,
            width=moment.ref.width,
            height=moment.ref.height,
        )
        for moment in moments
    )
    conditions = {} if header.truth is None else header.truth.conditions
    sha256 = "" if header.truth is None else header.truth.sha256
    return Labels(reader.folder, "hilgui", header.vocabulary.names, frames, sha256, conditions=conditions)
