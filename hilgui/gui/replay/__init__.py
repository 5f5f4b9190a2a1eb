"""The Replay page: the picture with its overlays, the timeline of the whole drive, findings, inspector and plots."""

from hilgui.gui.replay.page import ReplayPage

__all__ = ["ReplayPage"]
