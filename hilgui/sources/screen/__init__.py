"""Screen in the loop: a camera films a monitor that shows a recorded drive; what is shown, found, read and measured."""

from hilgui.sources.screen.carrying import Carried, carry_boxes, corner_errors_px, on_screen, rectify
from hilgui.sources.screen.composer import Composer
from hilgui.sources.screen.finder import Pose, ScreenFinder
from hilgui.sources.screen.frame_code import FrameCode, drive_number
from hilgui.sources.screen.glimpse import Glimpse, Sight, look_at
from hilgui.sources.screen.layout import LEVELS, ScreenLayout, lay_out
from hilgui.sources.screen.transfer import Transfer

__all__ = [
    "LEVELS",
    "Carried",
    "Composer",
    "FrameCode",
    "Glimpse",
    "Pose",
    "ScreenFinder",
    "ScreenLayout",
    "Sight",
    "Transfer",
    "carry_boxes",
    "corner_errors_px",
    "drive_number",
    "lay_out",
    "look_at",
    "on_screen",
    "rectify",
]
