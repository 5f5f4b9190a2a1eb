"""Finds the source class that reads a path."""

from __future__ import annotations

from pathlib import Path

from hilgui import plugins
from hilgui.errors import SourceBroken
from hilgui.sources.images import ImageFolder
from hilgui.sources.protocol import FrameSource


def source_for(path: Path, fps: float | None = None) -> FrameSource:
    """Give an unopened source for a path, chosen by content; raises SourceBroken.

    `fps` turns a folder of images into a drive; a video has its own stamps and refuses it.
    """
    if not path.exists():
        raise SourceBroken(f"there is no recording {path}; check the path", path=path)
    classes = plugins.working("hilgui.frame_sources")
    for source_class in classes.values():
        if source_class.recognises(path):
            if fps is None:
                return source_class(path)  # type: ignore[no-any-return]
            if source_class is ImageFolder:
                return ImageFolder(path, fps)
            raise SourceBroken(
                f"{path} brings its own time stamps; a frame rate is only for folders of images", path=path
            )
    known = ", ".join(sorted(suffix for each in classes.values() for suffix in each.suffixes))
    what = "the folder holds no images" if path.is_dir() else f"its content is none of {known}"
    raise SourceBroken(f"{path} is not a recording that hilgui knows: {what}", path=path)


def open_source(path: Path, fps: float | None = None) -> FrameSource:
    """Give an opened source; raises SourceBroken."""
    source = source_for(path, fps)
    source.open()
    return source
