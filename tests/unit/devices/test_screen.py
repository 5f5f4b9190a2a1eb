"""The driver that films a screen: which pictures become frames of the recording, and why the others do not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from devices.cameras.screen import OTHER_DRIVE, UNREADABLE, FilmedScreen
from devices.sim.screen_camera import ScreenCamera, Seam, View
from devices.sim.screen_rehearsal import RehearsedScreen
from hilgui.errors import CallWrong, SourceBroken
from hilgui.records import MIXED, REPEATED, Fate, Frame, Loss
from hilgui.sources.camera import CameraFacts, Shot, Wish, camera_beside, read_address, shown_drive
from hilgui.sources.live import UNSEEN, LiveSource
from hilgui.sources.screen import Composer, ScreenLayout
from hilgui.sources.screen.frame_code import make_code
from hilgui.sources.video import VideoSource
from hilgui.stream import StopToken

FRAMES = 8
WISH = Wish(fps=200, screen=(1280, 720))
VIEW = View(width=960, height=540, yaw_deg=5, noise=1)
SEAM = Seam(0.5, 0.05)


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames, each of another brightness."""
    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for number in range(FRAMES):
            picture = np.full((192, 320, 3), 20 + 25 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


def filmed(drive: Path, exposures: dict[int, Sequence[Seam | None]], view: View = VIEW) -> list[Shot]:
    """Give what the driver makes of a whole drive; a frame without exposures is never filmed."""
    camera = FilmedScreen(
        f"screen:rehearsal:{drive}",
        lambda path, layout: RehearsedScreen(path, layout, view, lambda number: exposures.get(number, (None,))),
    )
    camera.open(WISH)
    try:
        return list(iter(camera.read, None))
    finally:
        camera.close()


def test_every_frame_comes_with_its_number_its_name_and_its_picture(drive: Path) -> None:
    shots = filmed(drive, {})
    assert [shot.shown.number for shot in shots if shot.shown] == list(range(FRAMES))
    assert shots[3].shown is not None and shots[3].image is not None
    assert shots[3].shown.key == "drive.mp4#000003"
    assert shots[3].image.shape == (192, 320, 3)
    assert abs(float(shots[3].image.mean()) - 95) < 3
    assert shots[3].shown.shown_ns is not None
    assert 0 <= shots[3].arrival_ns - shots[3].shown.shown_ns < 10e9


def test_mixed_repeated_and_unseen_pictures_are_told_apart(drive: Path) -> None:
    shots = filmed(drive, {2: (SEAM, None), 3: (None, None), 5: (), 6: (SEAM,)})
    told = [shot.why or shot.shown.number for shot in shots if shot.why or shot.shown]
    assert told == [0, 1, MIXED, 2, 3, REPEATED, 4, MIXED, 7]
    assert [shot.shown.missed for shot in shots if shot.shown] == [0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (replace(VIEW, blur_px=2.5), UNREADABLE),
        (replace(VIEW, covered=5), "show the screen without its lower left marker: covered or out of the picture"),
        (replace(VIEW, fill=1.6), "show no screen: none of its markers is in the picture"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_with_the_reason(drive: Path, view: View, why: str) -> None:
    assert {shot.why for shot in filmed(drive, {}, view)} == {why}


class Film:
    """An eye that gives the pictures it was made with."""

    lists = ""

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self._pictures = iter(pictures)

    @classmethod
    def found(cls) -> tuple[()]:
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        return CameraFacts("film", "film", VIEW.width, VIEW.height, 30.0)

    def read(self) -> Shot | None:
        picture = next(self._pictures, None)
        return None if picture is None else Shot(picture, time.monotonic_ns())

    def close(self) -> None:
        pass


def test_the_screen_of_another_drive_is_refused(drive: Path) -> None:
    def other(_: Path, layout: ScreenLayout) -> Film:
        frame = np.zeros((192, 320, 3), np.uint8)
        canvases = [Composer(layout).compose(frame, make_code(number, 9999, 0)) for number in (1, 2)]
        return Film([ScreenCamera(layout, VIEW).film(canvas) for canvas in canvases])

    camera = FilmedScreen("screen:uvc:0", other)
    camera.open(replace(WISH, drive=str(drive)))
    assert [shot.why for shot in iter(camera.read, None)] == [OTHER_DRIVE] * 2
    camera.close()


def test_what_stands_on_the_screen_when_the_camera_opens_its_eye_has_no_age(drive: Path) -> None:
    """The first frame of a drive is shown for seconds, so that the camera finds the screen: that is no latency."""
    camera = FilmedScreen(f"screen:rehearsal:{drive}")
    camera.open(WISH)
    shots = [camera.read() for _ in range(2)]
    camera.open(WISH)
    shots += [camera.read() for _ in range(2)]
    camera.close()
    told = [shot.shown.shown_ns is not None for shot in shots if shot and shot.shown]
    assert told == [False, True, False, True]


def test_a_camera_that_is_opened_again_does_not_read_the_drive_again(
    drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long recording is hashed and indexed for longer than a camera may stay away."""
    camera = FilmedScreen("screen:uvc:0", lambda *_: Film([]))
    wish = replace(WISH, drive=str(drive))
    camera.open(wish)
    monkeypatch.setattr(VideoSource, "open", lambda _: pytest.fail("reads the drive again"))
    assert camera.open(wish).width == 320
    camera.close()


def test_a_camera_that_is_opened_again_goes_on_with_the_drive(drive: Path) -> None:
    camera = FilmedScreen(f"screen:rehearsal:{drive}")
    camera.open(WISH)
    first = camera.read()
    camera.open(WISH)
    second = camera.read()
    camera.close()
    assert [shot.shown.number for shot in (first, second) if shot and shot.shown] == [0, 1]


def test_a_camera_that_is_opened_again_does_not_play_what_is_over(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = FilmedScreen(f"screen:rehearsal:{drive}")
    camera.open(WISH)
    seen = [camera.read() for _ in range(3)]

    def from_the_start(*_: object) -> Iterator[Frame]:
        raise AssertionError("decodes the drive from its start")

    monkeypatch.setattr(VideoSource, "frames", from_the_start)
    camera.open(WISH)
    seen += iter(camera.read, None)
    camera.close()
    numbers = [shot.shown.number for shot in seen if shot and shot.shown]
    assert numbers == list(range(len(numbers))) and len(numbers) > 5


def test_the_source_counts_unseen_frames_and_names_the_others_as_the_recording_does(drive: Path) -> None:
    eye = FilmedScreen(
        f"screen:rehearsal:{drive}",
        lambda path, layout: RehearsedScreen(path, layout, VIEW, lambda number: () if number in (4, 5) else (None,)),
    )
    source = LiveSource(eye, f"screen:rehearsal:{drive}", replace(WISH, fps=4))
    source.open()
    try:
        items = list(source.frames(StopToken()))
    finally:
        source.close()
    frames = [item.ref for item in items if isinstance(item, Frame)]
    assert [ref.seq for ref in frames] == sorted({ref.seq for ref in frames})
    assert [ref.key for ref in frames] == [f"drive.mp4#{ref.truth_seq:06d}" for ref in frames]
    unseen = [item for item in items if isinstance(item, Loss) and item.reason == UNSEEN]
    assert [item.fate for item in unseen] == [Fate.DROPPED] * 2
    assert any("pictures read" in line for line in source.account())


def test_nobody_has_to_guess_what_is_shown() -> None:
    with pytest.raises(SourceBroken, match="add #drive="):
        FilmedScreen("screen:uvc:0").open(Wish())
    assert shown_drive(Path("camera:screen:uvc:0#drive=/d/day.mp4,fps=30")) == Path("/d/day.mp4")
    assert shown_drive(Path("camera:screen:rehearsal:day.mp4#fps=5")) == Path("day.mp4")
    assert shown_drive(Path("camera:rehearsal:day.mp4")) is None
    assert shown_drive(Path("day.mp4")) is None
    assert read_address(Path("camera:screen:rtsp://cam/one"))[0] == "screen:rtsp://cam/one"
    with pytest.raises(CallWrong, match="no option 'drive'"):
        read_address(Path("camera:uvc:0#drive=day.mp4"))


def test_files_in_the_address_of_a_test_case_are_beside_the_case(tmp_path: Path) -> None:
    beside = camera_beside(Path("camera:screen:rehearsal:../day.mp4#fps=5"), tmp_path / "cases")
    assert beside == Path(f"camera:screen:rehearsal:{tmp_path}/day.mp4#fps=5")
    beside = camera_beside(Path("camera:screen:uvc:0#fps=5,drive=day.mp4"), tmp_path)
    assert beside == Path(f"camera:screen:uvc:0#fps=5,drive={tmp_path}/day.mp4")
    assert camera_beside(Path("camera:uvc:0"), tmp_path) == Path("camera:uvc:0")
