"""Small pictures of findings: the worst frame, cut around the object, decoded in the background."""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap

from hilgui.records import Finding
from hilgui.store.folder import PICTURES

SIZE = (112, 63)  # px, 16:9
_KEPT = 2000
_AROUND = 2.2  # the cut is so many times as large as the object, but never tiny
_LOOK_MS = 40

_Key = tuple[Path, int, int]


class Thumbnails(QObject):
    """Gives what is there and asks one thread for the rest; the newest wish comes first."""

    came = Signal()  # at least one more is there

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ready: OrderedDict[_Key, QIcon | None] = OrderedDict()
        self._asked: set[_Key] = set()
        self._wishes: queue.LifoQueue[tuple[_Key, Finding] | None] = queue.LifoQueue()
        self._made: queue.SimpleQueue[tuple[_Key, QImage | None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._take)

    def of(self, folder: Path, finding: Finding) -> QIcon | None:
        """Give the small picture of a finding; None while it is made, or where no picture was kept."""
        key = (folder, finding.number, finding.worst_seq)
        if key in self._ready:
            self._ready.move_to_end(key)
            return self._ready[key]
        if key not in self._asked:
            self._asked.add(key)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="thumbnails")
                self._thread.start()
            self._wishes.put((key, finding))
            self._timer.start()
        return None

    def close(self) -> None:
        """End the thread; may be called twice."""
        self._timer.stop()
        if self._thread is not None:
            self._wishes.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (wish := self._wishes.get()) is not None:
            key, finding = wish
            self._made.put((key, _picture(key[0], finding)))

    def _take(self) -> None:
        has_new = False
        while not self._made.empty():
            key, image = self._made.get()
            self._asked.discard(key)
            self._ready[key] = None if image is None else _icon(image)
            has_new = True
        while len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        if has_new:
            self.came.emit()
        if not self._asked:
            self._timer.stop()


def _icon(image: QImage) -> QIcon:
    """Make an icon that is not tinted where its row is selected."""
    pixmap = QPixmap.fromImage(image)
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def _picture(folder: Path, finding: Finding) -> QImage | None:
    try:
        kept = (folder / PICTURES / f"{finding.worst_seq:08d}.jpg").read_bytes()
    except OSError:
        return None
    image = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    height, width = image.shape[:2]
    x1, y1, x2, y2 = _cut(finding, width, height)
    small = cv2.resize(image[y1:y2, x1:x2], SIZE, interpolation=cv2.INTER_AREA)
    small = np.ascontiguousarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
    return QImage(small.data, SIZE[0], SIZE[1], SIZE[0] * 3, QImage.Format.Format_RGB888).copy()


def _cut(finding: Finding, width: int, height: int) -> tuple[int, int, int, int]:
    """Choose a 16:9 window around the first object, inside the picture; the whole picture without one."""
    share = SIZE[0] / SIZE[1]
    whole = (min(width, height * share), min(height, width / share))
    if finding.objects and all(np.isfinite(finding.objects[0].box)):
        x1, y1, x2, y2 = finding.objects[0].box
        wide = max((x2 - x1) * _AROUND, (y2 - y1) * _AROUND * share, whole[0] / 6)
        wide = min(wide, whole[0])
        centre = ((x1 + x2) / 2, (y1 + y2) / 2)
    else:
        wide, centre = whole[0], (width / 2, height / 2)
    high = wide / share
    left = min(max(centre[0] - wide / 2, 0), width - wide)
    top = min(max(centre[1] - high / 2, 0), height - high)
    return round(left), round(top), max(round(left + wide), round(left) + 1), max(round(top + high), round(top) + 1)
