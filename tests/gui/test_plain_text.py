"""What names say is shown as it is written: no label, tip or title of the window takes it for HTML."""

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel

import hilgui.gui
from hilgui.gui.chart import Chart
from hilgui.gui.label import Label, as_tip
from hilgui.gui.main_window import MainWindow
from hilgui.gui.pages import PAGES

from .shell_bench import FakeEngine

_ATTACK = '<img src="file:///etc/hostname"><b>bold</b>\n<a href="http://x.invalid/">x</a> & 1 < 2'


def test_a_label_shows_what_is_written(qtbot, theme):
    plain, careless = Label(_ATTACK), QLabel(_ATTACK)
    for label in (plain, careless):
        qtbot.addWidget(label)
        label.ensurePolished()
    assert plain.textFormat() == Qt.TextFormat.PlainText and plain.text() == _ATTACK
    assert plain.sizeHint().width() > careless.sizeHint().width()  # nothing of it was taken for a tag


@pytest.mark.parametrize("text", [_ATTACK, "<b>x", "plain", "a < b", "a &lt;b&gt; c", "two\nlines <i>there</i>"])
def test_a_tip_shows_what_is_written(text):
    tip, shown = as_tip(text), QTextDocument()
    (shown.setHtml if tip.startswith("<qt>") else shown.setPlainText)(tip)
    assert shown.toPlainText() == text
    assert "<img" not in tip and "<a " not in tip


def test_the_title_of_a_plot_is_no_html(qtbot, theme):
    chart = Chart(theme, _ATTACK, "x", "y")
    qtbot.addWidget(chart)
    assert "<img" not in chart.getPlotItem().titleLabel.text


def test_no_label_of_the_window_takes_its_text_for_html(qtbot, settings, theme, memory):
    from hilgui.gui.bridge import Bridge

    bridge = Bridge(FakeEngine)
    window = MainWindow(settings, theme, bridge, memory)
    qtbot.addWidget(window)
    try:
        for page in PAGES:
            window.show_page(page.name)
        # What a form names its fields with is ours and translated; Qt makes those labels itself.
        labels = [label for label in window.findChildren(QLabel) if label.buddy() is None]
        assert len(labels) > 100
        assert not [label.text() for label in labels if label.textFormat() != Qt.TextFormat.PlainText]
    finally:
        window.close()
        bridge.close()


def test_every_page_makes_its_labels_of_the_plain_kind():
    made = []
    for path in sorted(Path(hilgui.gui.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            called = [node.func] if isinstance(node, ast.Call) else bases
            made += [(path.name, node.lineno) for each in called if isinstance(each, ast.Name) and each.id == "QLabel"]
    assert [name for name, _ in made] == ["label.py"]
