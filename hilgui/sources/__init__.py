"""Recorded frames: video files and image folders, counted and seekable."""

from hilgui.sources.opening import open_source, source_for
from hilgui.sources.protocol import FrameSource

__all__ = ["FrameSource", "open_source", "source_for"]
