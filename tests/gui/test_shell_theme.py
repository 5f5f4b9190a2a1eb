import re
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel

import hilgui.gui
from hilgui.gui.colours import DARK, LIGHT, MEANINGS
from hilgui.gui.icons import tinted
from hilgui.gui.theme import mark, style_sheet
from hilgui.resources import shipped

BOTH = pytest.mark.parametrize("colours", [DARK, LIGHT], ids=lambda colours: colours.name)

# Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision deficiency (2009)
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    code = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    return np.cbrt(np.clip(light, 0, 1) @ TO_LMS.T) @ TO_LAB.T


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


@BOTH
@pytest.mark.parametrize("sight", SIGHT)
def test_meanings_stay_apart_for_every_kind_of_sight(colours, sight):
    seen = {name: oklab(SIGHT[sight] @ linear(getattr(colours, name))) for name in MEANINGS}
    distances = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(MEANINGS, 2)}
    worst = min(distances, key=distances.__getitem__)
    assert distances[worst] >= 0.07, f"{worst} look alike"


@BOTH
def test_text_and_lines_have_enough_contrast(colours):
    for surface in (colours.window, colours.panel, colours.raised, colours.field, colours.selected):
        assert contrast(colours.text, surface) >= 7
        assert contrast(colours.text_soft, surface) >= 4.5
    for surface in (colours.window, colours.panel, colours.field):
        assert contrast(colours.text_faint, surface) >= 4.0
    assert contrast(colours.on_accent, colours.accent) >= 4.0
    for name in MEANINGS:
        assert contrast(getattr(colours, name), colours.panel) >= 2.9, name


@BOTH
def test_the_style_sheet_is_filled_completely(colours):
    sheet = style_sheet(colours)
    assert "$" not in sheet
    for path in re.findall(r'url\("([^"]+)"\)', sheet):
        assert Path(path).is_file(), path


@BOTH
def test_every_shipped_icon_can_be_painted(application, colours):
    for path in shipped("assets/icons").glob("*.svg"):
        image = tinted(path.stem, colours).pixmap(24, 24).toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24)), path.stem


def test_every_colour_is_a_colour():
    for colours in (DARK, LIGHT):
        for name, value in asdict(colours).items():
            assert name == "name" or QColor(value).isValid(), name


def test_another_theme_repaints_what_is_there(qtbot, theme):
    label = QLabel("truth")
    mark(label, tone="soft")
    qtbot.addWidget(label)
    label.show()
    before = label.palette().windowText().color().name()
    with qtbot.waitSignal(theme.changed):
        theme.choose("light")
    assert theme.colours is LIGHT
    assert QApplication.palette().window().color().name() == LIGHT.window
    assert label.palette().windowText().color().name() == LIGHT.text_soft != before


def test_the_system_theme_is_dark_where_the_system_says_nothing(theme):
    theme.choose("system")
    assert theme.colours in (DARK, LIGHT)
    assert theme.choice == "system"


def test_digits_have_one_width(application):
    label = QLabel()
    assert len({label.fontMetrics().horizontalAdvance(digit * 10) for digit in "0123456789"}) == 1


def test_style_sheets_are_set_in_one_place_only():
    root = Path(hilgui.gui.__file__).parent
    places = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if "setStyleSheet" in path.read_text()}
    assert places == {"theme.py"}


def test_nobody_spins_the_event_loop_by_hand():
    root = Path(hilgui.gui.__file__).parent
    assert not [path for path in root.rglob("*.py") if "processEvents" in path.read_text()]
