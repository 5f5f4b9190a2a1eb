"""Finds the source class that reads a path."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hilgui import plugins
from hilgui.corruptions import parse_recipe
from hilgui.errors import SourceBroken
from hilgui.records import SourceFacts
from hilgui.sources.camera import is_camera
from hilgui.sources.corrupted import Corrupted
from hilgui.sources.image_header import image_size
from hilgui.sources.live import live_source
from hilgui.sources.protocol import FrameSource
from hilgui.sources.recorder import NAME as RECORDING
from hilgui.sources.several import Camera, SeveralCameras, channel_names, topics_of

_HEAD_BYTES = 256 * 1024  # EXIF may lie before the size of a JPEG
_BUS_LOGS = (b"LOGG", b"MDF     ", b"date ")  # BLF, MF4, ASC
_RUN = "run.sqlite"
_BAGS = frozenset({"MCAP", "rosbag1", "rosbag2"})  # their kind ends with the topic


def source_for(path: Path, fps: float | None = None, topic: str | None = None, **how: Any) -> FrameSource:
    """Give an unopened source for a path, chosen by content; raises SourceBroken.

    `fps` turns a folder of images into a drive, `topic` chooses the camera of a bag. `how` are further keywords of
    one source (`bayer="rggb"`). What a source does not know is refused, not ignored.
    """
    if is_camera(path):
        return live_source(path, fps=fps)
    if not path.exists():
        raise SourceBroken(f"there is no recording {path}; check the path", path=path)
    if (path / _RUN).is_file():  # its pictures are those around findings, and no drive
        own = path / RECORDING
        what = f"its recording is {own}" if own.is_file() else "`hilgui runs show` names its drive"
        raise SourceBroken(f"{path} is the folder of a run, not a recording; {what}", path=path)
    classes = plugins.working("hilgui.frame_sources")
    for source_class in classes.values():
        if source_class.recognises(path):
            given = {name: value for name, value in {"fps": fps, "topic": topic, **how}.items() if value is not None}
            _refuse_strange(path, source_class, given)
            return source_class(path, **given)  # type: ignore[no-any-return]
    known = ", ".join(sorted(suffix for each in classes.values() for suffix in each.suffixes))
    what = "the folder holds no images" if path.is_dir() else _nearly(path) or f"its content is none of {known}"
    raise SourceBroken(f"{path} is not a recording that hilgui knows: {what}", path=path)


def _nearly(path: Path) -> str:
    """Say what a file is that is no recording but belongs to one, "" where nobody knows."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as failure:
        return f"it cannot be read ({failure.strerror})"
    if not head:
        return "it is empty; copy it again"
    if image_size(head) is not None:
        return f"it is one picture; give the folder of them, {path.parent}"
    if head.startswith(_BUS_LOGS) or path.suffix.lower() == ".dbc":
        return "it belongs to the bus of the vehicle; give it beside a recording, as --can LOG --dbc FILE"
    return ""


def cameras_for(
    path: Path,
    beside: Sequence[Path] = (),
    fps: float | None = None,
    topic: str | None = None,
    offsets_s: Sequence[float] = (),
) -> FrameSource:
    """Give an unopened source for one recording, or for several cameras of one drive; raises SourceBroken.

    `topic` may be "all" or several names with commas; `beside` are further files or folders of the same drive,
    `offsets_s` how much later each of these begins.
    """
    if beside:
        paths = [path, *beside]
        names, offsets = channel_names(paths), (0.0, *(offsets_s or [0.0] * len(beside)))
        return SeveralCameras(
            [
                Camera(name, each, None, source_for(each, fps), offset_s)
                for name, each, offset_s in zip(names, paths, offsets, strict=True)
            ]
        )
    topics = [] if topic is None else topics_of(path, topic)
    if len(topics) < 2:
        return source_for(path, fps, topics[0] if topics else None)
    return SeveralCameras([Camera(name, path, name, source_for(path, None, name)) for name in topics])


def open_source(path: Path, fps: float | None = None, topic: str | None = None, **how: Any) -> FrameSource:
    """Give an opened source; raises SourceBroken."""
    source = source_for(path, fps, topic, **how)
    source.open()
    return source


def source_again(facts: SourceFacts) -> FrameSource:
    """Give an unopened source for the recording of a stored run, of a bag the same camera; raises SourceBroken.

    What was corrupted on purpose is corrupted again, so that it shows what the models saw.
    """
    source = _clean_again(facts)
    if not facts.corrupt:
        return source
    try:
        depth = Path(facts.corrupt_depth) if facts.corrupt_depth else None
        return Corrupted(source, parse_recipe(facts.corrupt, facts.corrupt_seed), depth)
    except ValueError as failure:
        sentence = f"the run was corrupted in a way that this version does not know ({failure}); take the one it names"
        raise SourceBroken(sentence, path=Path(facts.path)) from failure


def _clean_again(facts: SourceFacts) -> FrameSource:
    if facts.cameras:
        return SeveralCameras(
            [
                Camera(
                    each["channel"],
                    Path(each["path"]),
                    each["topic"],
                    source_for(Path(each["path"]), topic=each["topic"]),
                    float(each.get("offset_s", 0.0)),
                )
                for each in facts.cameras
            ]
        )
    parts = facts.kind.split(" ", 2)
    topic = parts[2] if len(parts) == 3 and parts[0] in _BAGS else None
    return source_for(Path(facts.path), topic=topic)


def _refuse_strange(path: Path, source_class: type, given: dict[str, Any]) -> None:
    strange = sorted(set(given) - set(inspect.signature(source_class).parameters))
    if strange:
        reason = _REASONS.get(strange[0], f"it has no setting {strange[0]!r}; leave it out")
        raise SourceBroken(f"{path} {reason}", path=path)


_REASONS = {
    "fps": "brings its own time stamps; a frame rate is only for folders of images",
    "topic": "has one camera and no topics; a topic is only for bags (MCAP, rosbag)",
    "bayer": "is no folder of images; a Bayer pattern is only for raw images",
}
