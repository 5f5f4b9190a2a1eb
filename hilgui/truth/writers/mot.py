"""MOTChallenge's gt.txt."""

from __future__ import annotations

import math

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS, NO_TRACK, Truth
from hilgui.truth.mot import CLASSES, OCCLUDERS, REGIONS
from hilgui.truth.protocol import Labels, Sizes
from hilgui.truth.writers.losses import Holds, counted, lost
from hilgui.truth.writers.target import Target, boxed, decimal

_DISTRACTOR = CLASSES.index("distractor") + 1
_WRITTEN = {name: number for number, name in enumerate(CLASSES, 1) if name not in REGIONS | OCCLUDERS}


def write_mot(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add one gt.txt, boxes to .001 px; frames count from 1.

    Classes that MOT does not have are left out (a class map names them as MOT does); regions become distractors, what
    is not to be counted gets flag 0.
    """
    numbers = [_WRITTEN.get(name.casefold(), 0) for name in labels.names]
    if not any(numbers):
        theirs = ", ".join(labels.names[:8])
        raise CallWrong(f"none of the classes {theirs} is one of MOT's ({', '.join(_WRITTEN)}); give a class map")
    frames = boxed(labels)
    by_number = all(frame.index is not None for frame in frames)
    fresh = 1 + max((int(frame.truth.tracks.max(initial=0)) for frame in frames if frame.truth is not None), default=0)
    rows: list[tuple[int, int, str]] = []
    left_out = untracked = empty = crowds = 0
    for position, frame in enumerate(frames):
        truth = frame.truth
        assert truth is not None, "only frames with boxes are written"
        number = frame.index if by_number and frame.index is not None else position
        before = len(rows)
        crowds += int(truth.crowd.sum())
        for k in range(len(truth)):
            kind = _DISTRACTOR if truth.classes[k] == NO_CLASS else numbers[truth.classes[k]]
            if not kind:
                left_out += 1
                continue
            track = int(truth.tracks[k])
            if track == NO_TRACK:
                track, fresh, untracked = fresh, fresh + 1, untracked + 1
            rows.append((number + 1, track, _line(truth, k, number + 1, track, kind)))
        empty += len(rows) == before
    if not rows:
        raise CallWrong(f"{labels.path} has no object that MOT could hold; give a class map")
    target.add("", "".join(line for _, _, line in sorted(rows)), len(rows))
    held = (Holds.TRACKS, Holds.IGNORED, Holds.CROWDS, Holds.OCCLUSIONS, Holds.NUMBERS)
    return [
        *lost(labels, held, "MOT"),
        *counted(left_out, "object", "objects", "of classes that MOT does not have left out"),
        *counted(untracked, "object", "objects", "without identity given one"),
        *counted(crowds, "crowd becomes", "crowds become", "what is not to be counted"),
        *counted(
            empty, "frame has", "frames have", "no object for MOT and no row; after the last row that is unlabelled"
        ),
        *counted(0 if by_number else len(frames), "frame", "frames", "numbered in order"),
    ]


def _line(truth: Truth, k: int, frame: int, track: int, kind: int) -> str:
    x1, y1, x2, y2 = truth.boxes[k].tolist()
    box = ",".join(decimal(value, 3) for value in (x1, y1, x2 - x1, y2 - y1))
    counts = int(not (truth.ignore[k] or truth.crowd[k]))
    share = float(truth.occlusion[k])
    visibility = "-1" if math.isnan(share) else decimal(1 - share, 5)
    return f"{frame},{track},{box},{counts},{kind},{visibility}\n"
