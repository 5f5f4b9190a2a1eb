"""Screen in the loop: a camera films a monitor that shows a recorded drive; what is shown, found, read and measured."""

from hilgui.sources.screen.carrying import Carried, carry_boxes, corner_errors_px, map_to_pixels, on_screen, rectify
from hilgui.sources.screen.composer import Composer
from hilgui.sources.screen.finder import Pose, ScreenFinder
from hilgui.sources.screen.frame_code import FrameCode, drive_number
from hilgui.sources.screen.glimpse import Glimpse, Sight, look_at
from hilgui.sources.screen.layout import LEVELS, ScreenLayout, lay_out
from hilgui.sources.screen.showing import Showing
from hilgui.sources.screen.transfer import Transfer
from hilgui.sources.screen.watching import Watched, watch

__all__ = [
    "LEVELS",
    "Carried",
    "Composer",
    "FrameCode",
    "Glimpse",
    "Pose",
    "ScreenFinder",
    "ScreenLayout",
    "Showing",
    "Sight",
    "Transfer",
    "Watched",
    "carry_boxes",
    "corner_errors_px",
    "drive_number",
    "lay_out",
    "look_at",
    "map_to_pixels",
    "on_screen",
    "rectify",
    "watch",
]
