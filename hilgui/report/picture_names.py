"""Pictures of a data set are named after run and frame; labels that were corrected elsewhere find back by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from hilgui.records import FrameRef
from hilgui.truth.protocol import Labels


def picture_name(run_id: str, seq: int) -> str:
    """Name the picture of a frame."""
    return f"{run_id}_{seq:08d}.jpg"


def with_frames_of(labels: Labels, run_id: str, refs: Sequence[FrameRef]) -> Labels:
    """Let labels of exported pictures mean the frames of the run that they show; other names stay as they are."""
    keys = {PurePath(picture_name(run_id, ref.seq)).stem: ref.key for ref in refs}
    frames = (replace(frame, key=keys.get(PurePath(frame.key).stem, frame.key)) for frame in labels.frames)
    return replace(labels, frames=tuple(frames))
