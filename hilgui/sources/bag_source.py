"""One camera of a bag: MCAP, rosbag2 and rosbag1."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources import mcap_file, rosbag1_file, rosbag2_folder
from hilgui.sources.bag import DAMAGE, BagFile, BagTopic, Place
from hilgui.sources.camera_messages import CALIBRATION, VIDEO, calibration_of, kind_of, parse, picture_of
from hilgui.sources.container import refuse_huge
from hilgui.sources.fingerprint import file_sha256, folder_sha256
from hilgui.sources.protocol import UNREADABLE
from hilgui.sources.raw_pixels import Samples
from hilgui.sources.video_messages import CODECS, MessageVideo
from hilgui.stream import StopToken

_LISTED = 12


class BagSource:
    """Reads the pictures of one topic. Time is the recorder's clock (MCAP's log time), in the order of that clock."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".mcap", ".bag", ".db3"})

    def __init__(self, path: Path, topic: str | None = None) -> None:
        self._path = path
        self._wanted = topic
        self._bag: BagFile | None = None
        self._topic: BagTopic | None = None
        self._places: list[Place] = []
        self._facts: SourceFacts | None = None
        self._video: MessageVideo | None = None

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether a file or folder is a bag."""
        if path.is_dir():
            return rosbag2_folder.is_bag_folder(path)
        try:
            with path.open("rb") as file:
                head = file.read(16)
        except OSError:
            return False
        if head.startswith(rosbag2_folder.SQLITE_MAGIC):
            return rosbag2_folder.is_bag_sqlite(path)
        return head.startswith((mcap_file.MAGIC, b"#ROSBAG V"))

    def open(self) -> SourceFacts:
        """Read the index and choose the camera; raises SourceBroken, with the topics where there is no choice."""
        self.close()
        self._bag = open_bag(self._path)
        try:
            self._topic = self._choose(self._bag)
            self._places = self._bag.places(self._topic.name)
            self._facts = self._read_facts(self._bag, self._topic)
        except SourceBroken:
            self.close()
            raise
        return self._facts

    def refs(self) -> list[FrameRef]:
        """Name every picture."""
        return [self._ref(seq, 0) for seq in range(len(self._places))]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Read one picture after the other; a message that holds none is a Loss."""
        for seq in range(len(self._places)):
            if stop.is_set:
                return
            try:
                yield self.frame_at(seq)
            except SourceBroken as failure:
                yield Loss(self._ref(seq, time.monotonic_ns()), Fate.DROPPED, UNREADABLE, str(failure))

    def frame_at(self, seq: int) -> Frame:
        """Read one picture; raises IndexError, SourceBroken."""
        if self._bag is None:
            self.open()
        if not 0 <= seq < len(self._places):
            raise IndexError(f"{self._path.name} has pictures 0 to {len(self._places) - 1}, not {seq}")
        image, samples = self._image(seq)
        image.flags.writeable = False
        return Frame(self._ref(seq, time.monotonic_ns(), image.shape[1], image.shape[0]), image, samples)

    def close(self) -> None:
        """Let go of the files; may be called twice."""
        self._video = None
        if self._bag is not None:
            self._bag.close()
            self._bag = None

    def _choose(self, bag: BagFile) -> BagTopic:
        cameras = camera_topics(bag)
        if self._wanted is not None:
            found = [topic for topic in cameras if topic.name.strip("/") == self._wanted.strip("/")]
            if found:
                return found[0]
            raise self._refused(f"no camera topic {self._wanted!r}", bag, cameras)
        if not cameras:
            raise self._refused("no camera topic", bag, cameras)
        if len(cameras) > 1:
            listed = ", ".join(f"{topic.name} ({topic.messages})" for topic in cameras)
            raise SourceBroken(
                f"the bag {self._path} holds {len(cameras)} cameras: choose one with --topic: {listed}; or all with "
                "--topic all",
                path=self._path,
            )
        return cameras[0]

    def _refused(self, what: str, bag: BagFile, cameras: list[BagTopic]) -> SourceBroken:
        shown = cameras or list(bag.topics.values())
        listed = ", ".join(f"{topic.name} ({topic.type}, {topic.messages})" for topic in shown[:_LISTED])
        more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
        return SourceBroken(
            f"the bag {self._path} holds {what}; it has {listed or 'no topics at all'}{more}", path=self._path
        )

    def _read_facts(self, bag: BagFile, topic: BagTopic) -> SourceFacts:
        if not self._places:
            raise SourceBroken(
                f"the topic {topic.name} of {self._path} has no messages; choose another", path=self._path
            )
        width = height = 0
        notes = list(bag.notes)
        try:
            height, width = self._image(0)[0].shape[:2]
            notes += self._video.notes if self._video is not None else ()
        except SourceBroken as failure:
            notes.append(f"the first picture cannot be read: {failure}")
        steps = np.diff([place.time_ns for place in self._places]) / 1e9
        period = float(np.median(steps)) if len(steps) else 0.0
        files = bag.files
        return SourceFacts(
            name=self._path.name,
            kind=f"{bag.kind} {topic.type.rpartition('/')[2].removeprefix('foxglove.')} {topic.name}",
            path=str(self._path.resolve()),
            sha256=file_sha256(files[0]) if len(files) == 1 else folder_sha256(files),
            width=width,
            height=height,
            fps=1 / period if period > 0 else None,
            frames=len(self._places),
            ordered=True,
            camera=self._calibration(bag, topic),
            notes=tuple(notes),
        )

    def _calibration(self, bag: BagFile, topic: BagTopic) -> dict[str, Any] | None:
        """Read the intrinsics of the camera: the calibration topic with the longest common path, if it is one."""
        topics = [each for each in bag.topics.values() if kind_of(each) == CALIBRATION and each.messages]
        if not topics:
            return None
        shared = {each.name: _shared(each.name, topic.name) for each in topics}
        best = max(topics, key=lambda each: shared[each.name])
        if not shared[best.name] and len(camera_topics(bag)) > 1:
            return None
        with suppress(SourceBroken, *DAMAGE):
            return {"topic": best.name, **calibration_of(best, bag.read(bag.places(best.name)[0]))}
        return None

    def _image(self, seq: int) -> tuple[NDArray[np.uint8], Samples | None]:
        assert self._bag is not None and self._topic is not None
        try:
            message = parse(self._topic, self._bag.read(self._places[seq]))
            refuse_huge(message.width, message.height, self._path)
            if message.kind == VIDEO or message.format.lower() in CODECS:
                if self._video is None:
                    self._video = MessageVideo(message.format, len(self._places), self._piece)
                return self._video.image_at(seq)
            return picture_of(message)
        except (*DAMAGE, av.FFmpegError, cv2.error) as failure:
            raise SourceBroken(
                f"picture {seq} of {self._topic.name} in {self._path} cannot be read: {failure}", path=self._path
            ) from failure

    def _piece(self, seq: int) -> bytes:
        assert self._bag is not None and self._topic is not None
        return parse(self._topic, self._bag.read(self._places[seq])).data

    def _ref(self, seq: int, captured_ns: int, width: int = 0, height: int = 0) -> FrameRef:
        facts = self._facts
        first, here = self._places[0].time_ns, self._places[seq].time_ns
        try:
            stamp = datetime.fromtimestamp(here // 10**9, UTC) + timedelta(microseconds=here % 10**9 // 1000)
        except (OverflowError, ValueError, OSError):
            stamp = datetime.fromtimestamp(0, UTC)
        name = self._path.name
        return FrameRef(
            seq=seq,
            key=f"{name}#{seq:06d}",
            time_s=(here - first) / 1e9,
            stamp=stamp,
            captured_ns=captured_ns,
            width=width or (facts.width if facts else 0),
            height=height or (facts.height if facts else 0),
        )


def open_bag(path: Path) -> BagFile:
    """Open whatever bag a path is; raises SourceBroken."""
    if path.is_dir():
        return rosbag2_folder.Rosbag2Folder(path)
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as failure:
        raise SourceBroken(f"the bag {path} cannot be read: {failure}", path=path) from failure
    if head.startswith(mcap_file.MAGIC):
        return mcap_file.McapFile(path)
    if head.startswith(rosbag2_folder.SQLITE_MAGIC):
        return rosbag2_folder.SqliteFile(path)
    return rosbag1_file.Rosbag1File(path)


def camera_topics(bag: BagFile) -> list[BagTopic]:
    """Give the topics that carry pictures, by name."""
    return [topic for topic in bag.topics.values() if kind_of(topic) not in (None, CALIBRATION)]


def _shared(one: str, other: str) -> int:
    """Count the parts of two topic names that agree from the left, the last part of each left out."""
    pairs = zip(one.strip("/").split("/")[:-1], other.strip("/").split("/")[:-1], strict=False)
    count = 0
    for left, right in pairs:
        if left != right:
            break
        count += 1
    return count
