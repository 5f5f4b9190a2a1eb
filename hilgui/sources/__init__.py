"""Recorded frames: video files, image folders and bags, counted and seekable."""

from hilgui.sources.opening import cameras_for, open_source, source_again, source_for
from hilgui.sources.protocol import FrameSource

__all__ = ["FrameSource", "cameras_for", "open_source", "source_again", "source_for"]
