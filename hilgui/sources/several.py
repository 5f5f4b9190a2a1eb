"""Several cameras of one drive as one source: their frames in time order, on one clock, each with its camera's name.

One run of one stream, not a group of runs: the ledger closes over all cameras, the store has one order, and what was
seen together lies together. Topics of a bag share the recorder's clock. Files of their own are laid side by side at
their first frames, as their wall clocks seldom agree to a frame; a note says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from hilgui.errors import CallWrong, SourceBroken
from hilgui.records import Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.bag_source import BagSource, camera_topics, open_bag
from hilgui.sources.protocol import FrameSource
from hilgui.stream import StopToken

ALL = "all"
_MOST = 16
_LONGEST_OFFSET_S = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """One camera of a drive, with its source."""

    channel: str
    path: Path
    topic: str | None
    source: FrameSource
    offset_s: float = 0.0  # of a file of its own: how much later its first frame is than that of the first camera


class SeveralCameras:
    """Merges the frames of cameras; `seq` counts over all of them. One thread owns it."""

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, cameras: Sequence[Camera]) -> None:
        if not 2 <= len(cameras) <= _MOST:
            raise SourceBroken(f"side by side are 2 to {_MOST} cameras, not {len(cameras)}", path=cameras[0].path)
        self._cameras = tuple(cameras)
        self._order: list[tuple[int, FrameRef]] = []  # camera, its own reference; by seq
        self._times: list[float] = []

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """No path is several cameras by itself."""
        return False

    def open(self) -> SourceFacts:
        """Open every camera and put their frames in order; raises SourceBroken."""
        facts = []
        try:
            for camera in self._cameras:
                facts.append(camera.source.open())
                if not facts[-1].ordered:
                    raise SourceBroken(
                        f"{camera.path} has no time stamps, so it cannot be laid beside other cameras; give --fps",
                        path=camera.path,
                    )
        except SourceBroken:
            self.close()
            raise
        is_one_bag = len({camera.path for camera in self._cameras}) == 1
        self._order = self._merged(on_one_clock=is_one_bag)
        pairs = list(zip([camera.channel for camera in self._cameras], facts, strict=True))
        whole = hashlib.sha256("".join(f"{channel}\0{each.sha256}\n" for channel, each in pairs).encode())
        sizes = {(each.width, each.height) for each in facts}
        width, height = sizes.pop() if len(sizes) == 1 else (0, 0)
        first = facts[0]
        notes = [f"{channel}: {note}" for channel, each in pairs for note in each.notes]
        if not is_one_bag:
            notes.append("the cameras come from files of their own and are laid side by side at their first frames")
            notes += [f"{each.channel} begins {each.offset_s:+g} s" for each in self._cameras if each.offset_s]
        return SourceFacts(
            name=first.name,
            kind=f"{len(facts)} cameras",
            path=first.path,
            sha256=whole.hexdigest(),
            width=width,
            height=height,
            fps=first.fps,
            frames=len(self._order),
            ordered=True,
            camera=first.camera,
            notes=tuple(notes),
            cameras=tuple(_about(camera, each) for camera, each in zip(self._cameras, facts, strict=True)),
        )

    def refs(self) -> list[FrameRef]:
        """Name every frame of every camera, in order of time."""
        return [self._named(seq, ref) for seq, (_, ref) in enumerate(self._order)]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver the frames of all cameras in order of time."""
        running = [camera.source.frames(stop) for camera in self._cameras]
        for seq, (number, own) in enumerate(self._order):
            if stop.is_set:
                return
            item = next(running[number], None)
            if item is None:
                return
            if item.ref.seq != own.seq:
                raise SourceBroken(
                    f"{self._cameras[number].path} gave frame {item.ref.seq} where {own.seq} was due; open it again",
                    path=self._cameras[number].path,
                )
            yield replace(item, ref=self._named(seq, item.ref))

    def frame_at(self, seq: int) -> Frame:
        """Deliver one frame; raises IndexError, SourceBroken."""
        if not 0 <= seq < len(self._order):
            raise IndexError(f"the cameras have frames 0 to {len(self._order) - 1}, not {seq}")
        number, own = self._order[seq]
        frame = self._cameras[number].source.frame_at(own.seq)
        return replace(frame, ref=self._named(seq, frame.ref))

    def close(self) -> None:
        """Close every camera; may be called twice."""
        for camera in self._cameras:
            camera.source.close()

    def _merged(self, *, on_one_clock: bool) -> list[tuple[int, FrameRef]]:
        rows: list[tuple[float, int, FrameRef]] = []
        listed = [camera.source.refs() for camera in self._cameras]
        starts = [refs[0].stamp.timestamp() for refs in listed if refs]
        earliest = min(starts, default=0.0)
        for number, refs in enumerate(listed):
            later = refs[0].stamp.timestamp() - earliest if refs and on_one_clock else self._cameras[number].offset_s
            rows.extend((round(ref.time_s + later, 9), number, ref) for ref in refs)
        rows.sort(key=lambda row: (row[0], row[1], row[2].seq))
        first_s = min(0.0, rows[0][0]) if rows else 0.0  # where another camera began earlier, the clock does too
        self._times = [round(time_s - first_s, 9) for time_s, _, _ in rows]
        return [(number, ref) for _, number, ref in rows]

    def _named(self, seq: int, ref: FrameRef) -> FrameRef:
        channel = self._cameras[self._order[seq][0]].channel
        return replace(ref, seq=seq, time_s=self._times[seq], channel=channel, key=f"{channel.strip('/')}/{ref.key}")


def _about(camera: Camera, facts: SourceFacts) -> dict[str, Any]:
    """Write down what it takes to open a camera again."""
    return {
        "channel": camera.channel,
        "path": facts.path,
        "sha256": facts.sha256,
        "topic": camera.topic,
        "fps": facts.fps,
        "camera": facts.camera,
        "offset_s": camera.offset_s,
    }


def beside_of(text: str) -> tuple[Path, float]:
    """Read `rear.mp4`, or `rear.mp4@0.12` for a camera that begins 0.12 s later than the first; @-0.12 is earlier."""
    name, at, offset = text.strip().rpartition("@")
    if at and name and not Path(text.strip()).exists():
        try:
            seconds = float(offset)
        except ValueError:
            return Path(text.strip()), 0.0
        if not abs(seconds) <= _LONGEST_OFFSET_S:
            raise CallWrong(f"{text} lies {offset} s beside the first camera; write an offset of at most a day")
        return Path(name), seconds
    return Path(text.strip()), 0.0


def topics_of(path: Path, wanted: str) -> list[str]:
    """Turn "all", or names with commas between them, into the camera topics of a bag; raises SourceBroken."""
    if wanted != ALL:
        return list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if not BagSource.recognises(path):
        raise SourceBroken(f"{path} has one camera and no topics; a topic is only for bags (MCAP, rosbag)", path=path)
    with closing(open_bag(path)) as bag:
        return [topic.name for topic in camera_topics(bag) if topic.messages]


def channel_names(paths: Sequence[Path]) -> list[str]:
    """Name cameras after their files; by their folders too where the names alone are the same."""
    names = [path.stem if path.is_file() else path.name for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.resolve().parent.name}/{name}" for path, name in zip(paths, names, strict=True)]
    return names if len(set(names)) == len(names) else [f"{name} {count}" for count, name in enumerate(names, 1)]
