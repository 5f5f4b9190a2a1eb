"""The ground that Qt stands on: environment, attributes, the one QApplication."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from hilgui.gui.icons import application_icon

_SET_BY_OPENCV = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def undo_opencv(environment: MutableMapping[str, str] | None = None) -> None:
    """Remove what `import cv2` wrote into the environment: paths to the Qt 5 that it brings along.

    With them Qt 6 finds plug-ins of the wrong version and aborts the process. Values that do not point into cv2 are
    the operator's and stay. Child processes inherit the environment and need no second call.
    """
    environment = os.environ if environment is None else environment
    for name in _SET_BY_OPENCV:
        if "cv2" in Path(environment.get(name, "")).parts:
            del environment[name]


def create_application(argv: Sequence[str]) -> QApplication:
    """Make the one QApplication of this process, or give the one that exists.

    Call it before any widget; importing cv2 before or after does no harm. Its threads stay out of this process: they
    wait for each other busily, and the run beside it needs the cores.
    """
    import cv2

    cv2.setNumThreads(1)
    undo_opencv()
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QCoreApplication.setApplicationName("hilgui")
    QCoreApplication.setOrganizationName("hilgui")
    application = QApplication(list(argv))
    application.setApplicationDisplayName("hilgui")
    application.setDesktopFileName("hilgui")
    application.setWindowIcon(application_icon())
    return application
