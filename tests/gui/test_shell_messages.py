import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QToolButton, QWidget

from hilgui.gui.messages import Messages


@pytest.fixture
def messages(qtbot, theme):
    page = QWidget()
    qtbot.addWidget(page)
    made = Messages(theme, page)
    page.resize(800, 400)
    page.show()
    yield made
    page.close()


def test_a_message_can_be_copied_with_its_details(qtbot, messages):
    banner = messages.show_error("the drive is truncated", "frame 40: end of file")
    copy = next(each for each in banner.findChildren(QToolButton) if each.accessibleName() == "Copy message")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "The drive is truncated\n\nframe 40: end of file"


def test_details_fold_out(qtbot, messages):
    banner = messages.show_error("It broke", "why")
    details = banner.findChild(QPlainTextEdit)
    assert not details.isVisible()
    more = next(each for each in banner.findChildren(QPushButton) if each.text() == "Details")
    qtbot.keyClick(more, Qt.Key.Key_Return)
    assert details.isVisible() and details.toPlainText() == "why"


def test_a_message_without_details_offers_none(messages):
    banner = messages.show_warning("Look here")
    assert not any(each.isVisible() for each in banner.findChildren(QPushButton))


def test_the_same_message_is_counted_instead_of_repeated(messages):
    first = messages.show_error("It broke")
    for _ in range(100):
        assert messages.show_error("it broke") is first
    assert len(messages.banners) == 1


def test_at_most_four_messages_stay(messages):
    for number in range(6):
        messages.show_error(f"Trouble {number}")
    assert [banner.sentence for banner in messages.banners] == [f"Trouble {number}" for number in (2, 3, 4, 5)]


def test_the_newest_is_closed_first_and_an_empty_stack_takes_no_room(messages):
    messages.show_error("One")
    messages.show_error("Two")
    messages.close_newest()
    assert [banner.sentence for banner in messages.banners] == ["One"]
    messages.close_newest()
    assert not messages.isVisible()
    assert not messages.close_newest()


def test_an_offered_action_is_done_and_closes_the_message(qtbot, messages):
    done = []
    banner = messages.show_info("Run finished")
    banner.offer("Open", lambda: done.append(True))
    button = next(each for each in banner.findChildren(QPushButton) if each.text() == "Open")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done and not messages.banners
