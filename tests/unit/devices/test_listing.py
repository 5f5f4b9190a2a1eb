"""Addresses of cameras, and the list of those at this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilgui.cli.cameras import cameras_app
from hilgui.errors import CallWrong
from hilgui.sources.camera import Wish, is_camera, read_address, without_password


@pytest.mark.parametrize(
    ("typed", "address", "wish"),
    [
        ("camera:uvc:0", "uvc:0", Wish()),
        ("camera:rtsp://127.0.0.1:8554/x", "rtsp://127.0.0.1:8554/x", Wish()),
        ("camera:http://cam/video?id=1", "http://cam/video?id=1", Wish()),
        ("camera:rehearsal:/a/drive.mp4", "rehearsal:/a/drive.mp4", Wish()),
        ("camera:rehearsal:drive.mp4", "rehearsal:drive.mp4", Wish()),
        (
            "camera:uvc:1#size=1280x720,fps=30,exposure=8.5,format=MJPG",
            "uvc:1",
            Wish(1280, 720, 30.0, "MJPG", 8.5),
        ),
    ],
)
def test_an_address_survives_being_a_path(typed: str, address: str, wish: Wish) -> None:
    assert is_camera(Path(typed))
    assert read_address(Path(typed)) == (address, wish)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [("siz=3", "no option 'siz'"), ("size=3", "write #size"), ("fps=fast", "write #size"), ("fps=0", "above zero")],
)
def test_a_wrong_option_is_named(options: str, complaint: str) -> None:
    with pytest.raises(CallWrong, match=complaint):
        read_address(Path(f"camera:uvc:0#{options}"))


def test_a_path_is_no_camera_and_passwords_are_not_kept() -> None:
    assert not is_camera(Path("camera.mp4"))
    assert without_password("rtsp://ada:secret@cam:554/x") == "rtsp://cam:554/x"


def test_the_list_of_cameras_is_one_json_document() -> None:
    done = CliRunner().invoke(cameras_app, ["list", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and isinstance(told["cameras"], list) and isinstance(told["notes"], list)
    if not Path("/sys/class/video4linux").exists():
        assert told["notes"] == ["no cameras at this machine (V4L2)"]


def test_the_list_says_what_is_not_there() -> None:
    done = CliRunner().invoke(cameras_app, ["list"])
    assert done.exit_code == 0
