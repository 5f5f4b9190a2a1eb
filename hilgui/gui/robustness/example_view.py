"""A frame that fooled a model: clean beside changed, with what was found, missed and invented."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from hilgui.gui.label import Label, as_tip
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import picture_ink
from hilgui.gui.replay.overlay import LAYER_OF, Layer, State, Thing
from hilgui.gui.replay.pictures import for_screen
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.records import Role
from hilgui.robustness import Example, Shown, picture_path

_STATES = {"found": State.MATCHED, "missed": State.MISSED, "phantom": State.PHANTOM}


class ExampleView(QWidget):
    """Two pictures; zoom and pan each. GUI thread only: pictures are small and read at once."""

    def __init__(self, theme: Theme, parent: QWidget, hint: str = "") -> None:
        """`hint` stands where no picture is: what to choose to see one."""
        super().__init__(parent)
        self._theme = theme
        self._hint = hint or self.tr("Choose a field of the heat map to see the frames that went worst.")
        self._heads = [Label(self) for _ in range(2)]
        self.views = [FrameView(picture_ink(theme), self) for _ in range(2)]
        sides = []
        for head, view in zip(self._heads, self.views, strict=True):
            mark(head, tone="soft")
            head.setTextFormat(Qt.TextFormat.PlainText)
            head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # words take no room of it
            side = QWidget(self)
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(GAP_S)
            column.addWidget(head)
            column.addWidget(view, 1)
            sides.append(side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(splitter(Qt.Orientation.Vertical, *sides, stretch=(1, 1)))
        theme.changed.connect(self._restyle)
        self.clear()

    def clear(self, words: str = "") -> None:
        """Show that nothing is chosen, or why there is nothing to see."""
        hint = words or self._hint
        for view, head, side in zip(self.views, self._heads, (self.tr("clean"), self.tr("changed")), strict=True):
            head.setText(side)
            view.show_frame(None, (), hint)

    def show_example(self, folder: Path, role: Role, example: Example, name: str) -> None:
        """Show an example of a result's folder; `name` says what was done."""
        whose = f"{example.drive} #{example.seq:,}"
        pairs = (
            (self.tr("clean · {0}").format(whose), example.clean, example.clean_objects),
            (self.tr("{0} · {1}").format(name, example.words), example.changed, example.changed_objects),
        )
        for view, head, (words, picture, objects) in zip(self.views, self._heads, pairs, strict=True):
            head.setText(words)
            head.setToolTip(as_tip(words))
            image = read_picture(picture_path(folder, picture))
            if image is None:
                view.show_frame(None, (), self.tr("The picture {0} is gone; measure again.").format(picture or "–"))
                continue
            view.set_names({role: role.value})
            view.show_frame(for_screen(image), things_of(role, objects))

    def _restyle(self) -> None:
        for view in self.views:
            view.set_ink(picture_ink(self._theme))


def read_picture(path: Path | None) -> NDArray[np.uint8] | None:
    """Read a picture, BGR; None where there is none or it cannot be read."""
    try:
        content = b"" if path is None else path.read_bytes()
    except OSError:
        content = b""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    return None if image is None else image.astype(np.uint8, copy=False)


def things_of(role: Role, objects: tuple[Shown, ...]) -> tuple[Thing, ...]:
    """Turn the objects of an example into what the picture paints; errors lie on top."""
    things = [
        Thing(
            layer=Layer.TRUTH if one.fate == "missed" else LAYER_OF[role],
            row=row,
            box=one.box,
            name=one.label,
            state=_STATES.get(one.fate, State.UNJUDGED),
            score=one.score,
            missed_by=(role,) if one.fate == "missed" else (),
        )
        for row, one in enumerate(objects)
    ]
    return tuple(sorted(things, key=lambda thing: thing.is_error))
