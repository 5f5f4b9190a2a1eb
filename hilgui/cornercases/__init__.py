"""Rules that recognise strange moments, one kind a file, and the watch that runs them over a drive."""

from hilgui.cornercases.health import HealthMeter
from hilgui.cornercases.protocol import CornerCase, RunContext
from hilgui.cornercases.rank import badness
from hilgui.cornercases.self_noise import SelfNoise
from hilgui.cornercases.stories import Story, Told, stories
from hilgui.cornercases.watch import Looked, Watch
from hilgui.cornercases.watches import Watches

__all__ = [
    "CornerCase",
    "HealthMeter",
    "Looked",
    "RunContext",
    "SelfNoise",
    "Story",
    "Told",
    "Watch",
    "Watches",
    "badness",
    "stories",
]
