"""The pipeline as a child process: commands down, events up, the newest frame through shared memory."""

from hilgui.engine.events import Event, RunFailed, RunFinished, RunStarted
from hilgui.engine.process import Engine
from hilgui.engine.screen import Shown

__all__ = ["Engine", "Event", "RunFailed", "RunFinished", "RunStarted", "Shown"]
