"""The pictures for the docs and for machines without a display."""

from pathlib import Path

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from hilgui.gui.screenshots import render
from hilgui.gui.theme import Theme
from hilgui.settings import Settings
from tests.gui.replay_run import make_run


def test_pictures_show_the_whole_window_also_on_a_small_screen(
    qapp: QApplication, tmp_path: Path, settings: Settings, theme: Theme
) -> None:
    made = make_run(tmp_path / "run")
    try:
        paths = render(qapp, made.folder, tmp_path / "pictures", settings)
    finally:
        theme.choose("dark")  # the pictures end in light

    assert [path.name for path in paths] == [
        "replay-dark.png",
        "replay-light.png",
        "findings-dark.png",
        "findings-light.png",
        "evaluate-dark.png",
        "evaluate-light.png",
        "compare-dark.png",
        "compare-light.png",
        "cases-dark.png",
        "cases-light.png",
        "rig-dark.png",
        "rig-light.png",
        "decide-dark.png",
        "decide-light.png",
        "robustness-dark.png",
        "robustness-light.png",
        "library-dark.png",
        "library-light.png",
        "models-dark.png",
        "models-light.png",
        "recordings-dark.png",
        "recordings-light.png",
    ]
    for path in paths:
        image = QImage(str(path))
        assert (image.width(), image.height()) == (1600, 1000)
