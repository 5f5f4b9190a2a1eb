import os
import subprocess
import sys

from hilgui.gui.qt_environment import undo_opencv

WINDOW = """
import cv2
from hilgui.gui.qt_environment import create_application
application = create_application(["hilgui"])
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel
label = QLabel("it works")
label.show()
QTimer.singleShot(50, application.quit)
application.exec()
print(application.platformName())
"""


def test_what_opencv_writes_is_removed():
    environment = {
        "QT_QPA_PLATFORM_PLUGIN_PATH": "/somewhere/site-packages/cv2/qt/plugins",
        "QT_QPA_FONTDIR": "/somewhere/site-packages/cv2/qt/fonts",
        "QT_QPA_PLATFORM": "offscreen",
    }
    undo_opencv(environment)
    assert environment == {"QT_QPA_PLATFORM": "offscreen"}


def test_what_the_operator_set_stays():
    environment = {"QT_QPA_PLATFORM_PLUGIN_PATH": "/opt/qt/plugins"}
    undo_opencv(environment)
    assert environment == {"QT_QPA_PLATFORM_PLUGIN_PATH": "/opt/qt/plugins"}


def test_a_window_opens_after_opencv_was_imported():
    done = subprocess.run([sys.executable, "-c", WINDOW], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == os.environ["QT_QPA_PLATFORM"]
