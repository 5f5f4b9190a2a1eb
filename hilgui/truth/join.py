"""Joining labels to a recording: by key, by frame number, or by time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hilgui.errors import TruthBroken
from hilgui.records import ClassTruth, FrameRef, Truth
from hilgui.truth.clock import match_times, offset_note
from hilgui.truth.protocol import DepthLabel, LabelledFrame, Labels, LaneLabel, MaskLabel

_WITHOUT_BOXES = (
    "the labels speak of pixels, lanes, distances or whole pictures and not of boxes: detections are not judged"
)
_WALL_CLOCK_S = 1e8  # seconds beyond this count from 1970, not from the first frame


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """The truth of the frames that the labels know; a frame that is absent is unlabelled, not empty."""

    truths: dict[int, Truth]  # boxes by FrameRef.seq; classes are still those of the labels
    kind: str  # "key", "frame" or "time"
    labelled: int  # frames in the labels
    notes: tuple[str, ...] = ()  # sentences for the operator
    masks: dict[int, MaskLabel] = field(default_factory=dict)  # by FrameRef.seq; loaded by whoever needs one
    lanes: dict[int, LaneLabel] = field(default_factory=dict)
    depths: dict[int, DepthLabel] = field(default_factory=dict)
    classes: dict[int, ClassTruth] = field(default_factory=dict)  # of whole pictures
    offset_s: float = 0.0  # what has to be added to the labels' clock; 0 where one side has none
    beyond: int = 0  # labelled frames after the last one of a video: it was cut, or it is another one

    @property
    def frames(self) -> int:
        """Count the frames of the recording that have truth of any kind."""
        return len(
            self.truths.keys() | self.masks.keys() | self.lanes.keys() | self.depths.keys() | self.classes.keys()
        )


def join(labels: Labels, refs: Sequence[FrameRef]) -> Joined:
    """Give every labelled frame to the frame of the recording that it means.

    Three ways, the first that fits any frame is used for all: the key (whole, then the file name alone, then the
    file name without its suffix), the frame number, the nearest time within half a frame period after the constant
    offset of the clocks (`clock.match_times`). Raises TruthBroken when nothing fits, when two labelled frames claim
    the same frame, or when the labels tell another size of a picture than the recording.
    """
    ways: tuple[tuple[str, Callable[[Labels, Sequence[FrameRef]], _Fitted]], ...] = (
        ("key", _by_key),
        ("frame", _by_index),
        ("time", _by_time),
    )
    for kind, way in ways:
        fitted = way(labels, refs)
        if fitted.frames:
            return _joined(labels, refs, kind, fitted)
    raise TruthBroken(
        f"{labels.path} fits no frame of the recording: {_difference(labels, refs)}; labels of another recording?",
        path=labels.path,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    frames: dict[int, LabelledFrame]  # by FrameRef.seq
    offset_s: float


def _joined(labels: Labels, refs: Sequence[FrameRef], kind: str, fitted: _Fitted) -> Joined:
    frames = {seq: fitted.frames[seq] for seq in sorted(fitted.frames)}
    _refuse_other_size(labels, frames, refs)
    truths = {seq: frame.truth for seq, frame in frames.items() if frame.truth is not None}
    notes = (
        *labels.notes,
        *_left_over(labels, len(frames), kind),
        *offset_note(fitted.offset_s, len(frames)),
        *_strange_boxes(truths, frames, refs),
        *(() if truths else (_WITHOUT_BOXES,)),
    )
    return Joined(
        truths,
        kind,
        len(labels.frames),
        notes,
        {seq: frame.mask for seq, frame in frames.items() if frame.mask is not None},
        {seq: frame.lanes for seq, frame in frames.items() if frame.lanes is not None},
        {seq: frame.depth for seq, frame in frames.items() if frame.depth is not None},
        {seq: frame.classes for seq, frame in frames.items() if frame.classes is not None},
        fitted.offset_s,
        _beyond(labels, frames, refs),
    )


def _by_key(labels: Labels, refs: Sequence[FrameRef]) -> _Fitted:
    for part in (_whole, _name, _stem):
        seqs = _unique((part(ref.key), ref.seq) for ref in refs)
        frames: dict[int, LabelledFrame] = {}
        for frame in labels.frames:
            seq = seqs.get(part(frame.key)) if frame.key else None
            if seq is not None:
                _claim(labels, frames, seq, frame, frame.key)
        if frames:
            return _Fitted(frames, _offset(frames, refs))
    return _Fitted({}, 0.0)


def _by_index(labels: Labels, refs: Sequence[FrameRef]) -> _Fitted:
    seqs = {ref.seq for ref in refs}
    frames: dict[int, LabelledFrame] = {}
    for frame in labels.frames:
        if frame.index is not None and frame.index in seqs:
            _claim(labels, frames, frame.index, frame, f"frame {frame.index}")
    return _Fitted(frames, _offset(frames, refs))


def _by_time(labels: Labels, refs: Sequence[FrameRef]) -> _Fitted:
    known = sorted((ref.time_s, ref.seq) for ref in refs if math.isfinite(ref.time_s))
    timed = [(frame.time_s, frame) for frame in labels.frames if frame.time_s is not None]
    if not known or not timed:
        return _Fitted({}, 0.0)
    stamps = np.array([time_s for time_s, _ in known])
    wanted = np.array([_recording_time(time_s, refs) for time_s, _ in timed])
    matched = match_times(stamps, wanted)
    frames: dict[int, LabelledFrame] = {}
    # The closest label comes first and keeps its frame.
    for row in np.argsort(matched.gaps_s, kind="stable").tolist():
        if matched.nearest[row] >= 0:
            frames.setdefault(known[int(matched.nearest[row])][1], timed[row][1])
    return _Fitted(frames, matched.offset_s)


def _recording_time(time_s: float, refs: Sequence[FrameRef]) -> float:
    """Bring seconds since 1970 to the recording's clock by the wall clock of its first frame."""
    if time_s < _WALL_CLOCK_S:
        return time_s
    first = refs[0]
    return time_s - first.stamp.timestamp() + (first.time_s if math.isfinite(first.time_s) else 0.0)


def _offset(frames: dict[int, LabelledFrame], refs: Sequence[FrameRef]) -> float:
    """Compare the clocks of frames that were joined by name or number; 0 where one side has none."""
    times_s = {ref.seq: ref.time_s for ref in refs if math.isfinite(ref.time_s)}
    gaps = [
        times_s[seq] - _recording_time(frame.time_s, refs)
        for seq, frame in frames.items()
        if frame.time_s is not None and seq in times_s
    ]
    return float(np.median(gaps)) if gaps else 0.0


def _claim(labels: Labels, frames: dict[int, LabelledFrame], seq: int, frame: LabelledFrame, what: str) -> None:
    if seq in frames:
        other = frames[seq].key or f"frame {frames[seq].index}"
        raise TruthBroken(
            f"{labels.path} labels one frame of the recording twice: {other} and {what}; keep the labels of one drive",
            path=labels.path,
        )
    frames[seq] = frame


def _whole(key: str) -> str:
    return key


def _name(key: str) -> str:
    return key.replace("\\", "/").rpartition("/")[2]


def _stem(key: str) -> str:
    name = _name(key)
    return name if "#" in name else name.rpartition(".")[0] or name


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    rows = list(pairs)
    seen = Counter(key for key, _ in rows)
    return {key: seq for key, seq in rows if seen[key] == 1}


def _left_over(labels: Labels, joined: int, kind: str) -> tuple[str, ...]:
    rest = len(labels.frames) - joined
    if not rest:
        return ()
    return (f"{rest} of {len(labels.frames)} labelled frames are not in the recording (joined by {kind})",)


def _beyond(labels: Labels, frames: dict[int, LabelledFrame], refs: Sequence[FrameRef]) -> int:
    """Count labelled frames that a video ought to have and lacks; 0 for pictures, which may be chosen from a set.

    Of labels for several videos only those count whose key, such as "day.mp4#000012", names the video that was joined.
    """
    if not all("#" in ref.key for ref in refs):
        return 0
    last = max(ref.seq for ref in refs)
    mine = {_video_of(frame) for frame in frames.values()}
    return sum(frame.index is not None and frame.index > last and _video_of(frame) in mine for frame in labels.frames)


def _video_of(frame: LabelledFrame) -> str:
    return frame.key.rpartition("#")[0]


def _refuse_other_size(labels: Labels, frames: dict[int, LabelledFrame], refs: Sequence[FrameRef]) -> None:
    """Compare the sizes of labelled pictures with those of the recording, where both tell them."""
    for ref in refs:
        frame = frames.get(ref.seq)
        if frame is None or not (frame.width and frame.height and ref.width and ref.height):
            continue
        if (frame.width, frame.height) != (ref.width, ref.height):
            raise TruthBroken(
                f"{labels.path} labels pictures of {frame.width} × {frame.height}, {ref.key} has {ref.width} × "
                f"{ref.height}; labels of another recording?",
                path=labels.path,
            )


def _strange_boxes(
    truths: dict[int, Truth], frames: dict[int, LabelledFrame], refs: Sequence[FrameRef]
) -> tuple[str, ...]:
    """Count boxes without area, and boxes outside their picture: labels of another size or recording.

    Where the recording does not know sizes ahead (a folder of images), those that the labels tell count.
    """
    sizes = {seq: (frame.width, frame.height) for seq, frame in frames.items() if frame.width and frame.height}
    sizes |= {ref.seq: (ref.width, ref.height) for ref in refs if ref.width and ref.height}
    total = flat = measured = outside = 0
    for seq, truth in truths.items():
        left, top, right, bottom = truth.boxes.T
        total += len(truth)
        flat += int(np.count_nonzero((right <= left) | (bottom <= top)))
        if seq in sizes:
            width, height = sizes[seq]
            measured += len(truth)
            outside += int(np.count_nonzero((left >= width) | (top >= height) | (right <= 0) | (bottom <= 0)))
    notes = []
    if outside:
        notes.append(f"{outside} of {measured} labelled boxes lie outside their picture: labels of another size?")
    if flat:
        notes.append(f"{flat} of {total} labelled boxes have no area: no detection can match them")
    return tuple(notes)


def _difference(labels: Labels, refs: Sequence[FrameRef]) -> str:
    if not labels.frames:
        return "it labels no frame"
    first = labels.frames[0]
    told = first.key or (f"frame {first.index}" if first.index is not None else f"{first.time_s:g} s")
    return f"they begin with {told}, the recording with {refs[0].key}" if refs else "the recording has no frames"
