"""Everything the Replay page can be told by key, by button and in the overlay of shortcuts: one table."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do; the first key is shown, all of them work."""

    name: str
    keys: tuple[str, ...]
    text: str  # as it is looked up in the translation
    icon: str = ""
    is_switch: bool = False

    @property
    def translated(self) -> str:
        """Give the text in the operator's language."""
        return QCoreApplication.translate("ReplayCommands", self.text)


def _command(name: str, keys: str, text: object, icon: str = "", *, is_switch: bool = False) -> Command:
    return Command(name, tuple(keys.split()), str(text), icon, is_switch)


COMMANDS = (
    _command("play", "Space", QT_TRANSLATE_NOOP("ReplayCommands", "Play or pause"), "play"),
    _command("step_back", "Left ,", QT_TRANSLATE_NOOP("ReplayCommands", "One frame back"), "step_back"),
    _command("step_forward", "Right .", QT_TRANSLATE_NOOP("ReplayCommands", "One frame on"), "step_forward"),
    _command("second_back", "Shift+Left", QT_TRANSLATE_NOOP("ReplayCommands", "One second back")),
    _command("second_forward", "Shift+Right", QT_TRANSLATE_NOOP("ReplayCommands", "One second on")),
    _command("to_start", "Home", QT_TRANSLATE_NOOP("ReplayCommands", "To the first frame"), "to_start"),
    _command("to_end", "End", QT_TRANSLATE_NOOP("ReplayCommands", "To the last frame"), "to_end"),
    _command("slower", "[", QT_TRANSLATE_NOOP("ReplayCommands", "Slower")),
    _command("faster", "]", QT_TRANSLATE_NOOP("ReplayCommands", "Faster")),
    _command("go_to", "G", QT_TRANSLATE_NOOP("ReplayCommands", "Go to a time or a frame")),
    _command(
        "live",
        "L",
        QT_TRANSLATE_NOOP("ReplayCommands", "Follow the newest frame of the run under way"),
        "recording",
        is_switch=True,
    ),
    _command("worst", "W", QT_TRANSLATE_NOOP("ReplayCommands", "Worst finding"), "worst_finding"),
    _command("previous", "P", QT_TRANSLATE_NOOP("ReplayCommands", "Previous finding of the list"), "previous_finding"),
    _command("next", "N", QT_TRANSLATE_NOOP("ReplayCommands", "Next finding of the list"), "next_finding"),
    _command("clip", "Y", QT_TRANSLATE_NOOP("ReplayCommands", "Play the finding's clip in a loop")),
    _command("search", "/", QT_TRANSLATE_NOOP("ReplayCommands", "Search the findings")),
    _command("truth", "T", QT_TRANSLATE_NOOP("ReplayCommands", "Truth"), is_switch=True),
    _command("baseline", "B", QT_TRANSLATE_NOOP("ReplayCommands", "Baseline"), is_switch=True),
    _command("candidate", "C", QT_TRANSLATE_NOOP("ReplayCommands", "Candidate"), is_switch=True),
    _command("errors", "E", QT_TRANSLATE_NOOP("ReplayCommands", "Errors only"), is_switch=True),
    _command("corrupt", "K", QT_TRANSLATE_NOOP("ReplayCommands", "Corrupt the frames"), "robustness", is_switch=True),
    _command("view", "V", QT_TRANSLATE_NOOP("ReplayCommands", "Next view: overlay, side by side, swipe, difference")),
    _command("fit", "F", QT_TRANSLATE_NOOP("ReplayCommands", "Whole picture"), "zoom_fit"),
    _command("actual", "1", QT_TRANSLATE_NOOP("ReplayCommands", "Actual size, 100 %")),
    _command("zoom_in", "+ =", QT_TRANSLATE_NOOP("ReplayCommands", "Zoom in"), "zoom_in"),
    _command("zoom_out", "-", QT_TRANSLATE_NOOP("ReplayCommands", "Zoom out"), "zoom_out"),
    _command("next_object", "X", QT_TRANSLATE_NOOP("ReplayCommands", "Next object on the picture")),
    _command("previous_object", "Shift+X", QT_TRANSLATE_NOOP("ReplayCommands", "Previous object on the picture")),
    _command("no_object", "U", QT_TRANSLATE_NOOP("ReplayCommands", "Look at no object")),
    _command("loop_in", "I", QT_TRANSLATE_NOOP("ReplayCommands", "Loop from here")),
    _command("loop_out", "O", QT_TRANSLATE_NOOP("ReplayCommands", "Loop to here")),
    _command("loop", "Shift+O", QT_TRANSLATE_NOOP("ReplayCommands", "Loop, or not"), "loop", is_switch=True),
    _command("bookmark", "M", QT_TRANSLATE_NOOP("ReplayCommands", "Bookmark this frame, or not"), "bookmark"),
    _command("next_bookmark", "Shift+M", QT_TRANSLATE_NOOP("ReplayCommands", "Next bookmark")),
    _command("plots", "D", QT_TRANSLATE_NOOP("ReplayCommands", "Plots"), "latency", is_switch=True),
    _command("whole", "A", QT_TRANSLATE_NOOP("ReplayCommands", "Timeline: the whole drive")),
)
"""`+ =`: both keys work where the keyboard needs Shift for the plus."""
