"""A camera in front of a screen: what is shown is found, read and measured, and what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.sim.screen_camera import ScreenCamera, Seam, View
from hilgui.errors import CallWrong
from hilgui.sources.screen import (
    LEVELS,
    Composer,
    FrameCode,
    Glimpse,
    ScreenFinder,
    Sight,
    carry_boxes,
    corner_errors_px,
    lay_out,
    look_at,
    on_screen,
    rectify,
)
from hilgui.sources.screen.carrying import box_corners
from hilgui.sources.screen.frame_code import bits_of, code_of, make_code, read_copies, shown_at_ns
from hilgui.sources.screen.layout import HEIGHTS

LAYOUT = lay_out(1280, 720, 480, 270)
COMPOSER = Composer(LAYOUT)
BOXES = np.array([[0, 0, 480, 270], [10, 20, 60, 90], [200, 100, 300, 180], [420, 230, 470, 260]], np.float64)
NEAR = View(width=960, height=540)


def frame(number: int) -> np.ndarray:
    """A smooth picture, so that half a pixel of error would not be hidden by noise."""
    x, y = np.meshgrid(np.arange(480), np.arange(270))
    return np.stack([(x // 3 + number) % 256, y // 2, np.full_like(x, 90)], axis=-1).astype(np.uint8)


def shown(number: int) -> np.ndarray:
    return COMPOSER.compose(frame(number), code(number))


def code(number: int) -> FrameCode:
    return make_code(0xB4A, number, (5_000 + 33 * number) * 1_000_000)


def look(camera: ScreenCamera, picture: np.ndarray) -> Glimpse:
    glimpse = look_at(picture, LAYOUT, ScreenFinder(LAYOUT))
    assert isinstance(glimpse, Glimpse), glimpse
    return glimpse


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4095), st.integers(0, 2**18 - 1), st.integers(0, 2**18 - 1), st.integers(0, 63))
def test_a_code_is_read_as_it_was_written_and_with_one_wrong_bit_not_at_all(
    drive: int, number: int, shown_ms: int, place: int
) -> None:
    written = FrameCode(drive, number, shown_ms)
    bits = bits_of(written)
    assert code_of(bits) == written
    bits[place] = not bits[place]
    assert code_of(bits) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**18 - 2), st.integers(0, 64 * HEIGHTS), st.floats(0.2, 0.8))
def test_a_seam_anywhere_between_two_frames_is_never_read_as_one_of_them(number: int, row: int, share: float) -> None:
    before, after = (2.0 * bits_of(code(each)) - 1 for each in (number, number + 1))
    rows = np.arange(64 * HEIGHTS).reshape(HEIGHTS, 1, 64) // 4  # four bits a row, top to bottom
    mixed = np.where(rows * 4 < row, before, after) * np.ones((1, 2, 1))
    blended = share * before + (1 - share) * after
    sight, read = read_copies(150 * mixed, 150)
    whole = row <= 0 or (rows * 4 < row).all()
    assert (sight is Sight.CLEAN) == whole, row
    assert read in (None, code(number), code(number + 1))
    assert read_copies(150 * np.broadcast_to(blended, (HEIGHTS, 2, 64)), 150) == (Sight.MIXED, None)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**18 - 2), st.integers(-40, 64 * HEIGHTS + 40), st.integers(-120, 120))
def test_a_seam_aslant_over_a_turned_screen_is_never_read_as_one_frame(number: int, row: int, slope: int) -> None:
    """Left and right of the picture the seam stands at different heights: it may cut no more than a corner."""
    before, after = (2.0 * bits_of(code(each)) - 1 for each in (number, number + 1))
    bits = np.arange(64 * HEIGHTS).reshape(HEIGHTS, 64)
    sides = [row - slope // 2, row + slope // 2]
    seen = np.stack([np.where(bits // 4 * 4 < edge, before, after) for edge in sides], axis=1)
    sight, read = read_copies(150 * seen, 150)
    is_whole = all(edge <= 0 for edge in sides) or all(edge > 4 * (16 * HEIGHTS - 1) for edge in sides)
    assert (sight is Sight.CLEAN) == is_whole
    assert (read is not None) == is_whole


def test_a_reflection_on_one_side_of_the_middle_leaves_the_code_readable_and_one_beside_a_corner_does_not() -> None:
    whole = 150 * np.broadcast_to(2.0 * bits_of(code(7)) - 1, (HEIGHTS, 2, 64))
    for height, sight in ((1, Sight.CLEAN), (0, Sight.UNREADABLE), (HEIGHTS - 1, Sight.UNREADABLE)):
        covered = whole.copy()
        covered[height, 1] = 0
        assert read_copies(covered, 150)[0] is sight, height


@pytest.mark.parametrize("view", [View(960, 540, yaw_deg=10, pitch_deg=5, roll_deg=2, fill=0.85, noise=2, blur_px=0.7)])
def test_no_part_of_another_frame_hides_in_a_picture_of_a_turned_screen(view: View) -> None:
    camera, finder = ScreenCamera(LAYOUT, view), ScreenFinder(LAYOUT)
    before, after = shown(7), shown(8)
    left, top, width, height = LAYOUT.picture
    x, y = np.meshgrid(np.linspace(left, left + width, 60), np.linspace(top, top + height, 120))
    rows = camera.place(np.stack([x.ravel(), y.ravel()], axis=-1))[:, 1] / view.height
    for seam in np.linspace(rows.min(), rows.max(), 60).tolist():
        glimpse = look_at(camera.film(after, before, Seam(seam, 0.002)), LAYOUT, finder)
        if isinstance(glimpse, Glimpse) and glimpse.code is not None:
            is_after = rows > seam
            wrong = float((is_after != (glimpse.code.number == 8)).mean())
            assert wrong < 0.01, (seam, glimpse.code.number)


def test_the_time_of_showing_is_the_latest_that_the_bits_allow() -> None:
    at_ns = 987_654_321_000_000
    assert shown_at_ns(make_code(1, 2, at_ns), at_ns + 45_000_000) == at_ns


VIEWS = {
    "straight": (NEAR, 0.1),
    "turned": (replace(NEAR, yaw_deg=20, pitch_deg=8, roll_deg=4, fill=0.75), 0.3),
    "blurred and noisy": (replace(NEAR, blur_px=1.0, noise=4), 0.4),
    "dim": (replace(NEAR, gain=0.4, noise=3), 0.4),
    "bright": (replace(NEAR, gain=1.3, ambient=25), 0.2),
    "bent lens": (replace(NEAR, lens=-0.03), 0.3),
}


@pytest.mark.parametrize("name", VIEWS)
def test_the_frame_is_read_and_its_boxes_are_carried_to_a_fraction_of_a_pixel(name: str) -> None:
    view, limit_px = VIEWS[name]
    camera = ScreenCamera(LAYOUT, view)
    glimpse = look(camera, camera.film(shown(7)))
    assert (glimpse.sight, glimpse.code) == (Sight.CLEAN, code(7))
    true = camera.place(on_screen(box_corners(BOXES), LAYOUT))
    assert float(np.median(corner_errors_px(BOXES, LAYOUT, glimpse.pose, true))) < limit_px
    carried = carry_boxes(BOXES, LAYOUT, glimpse.pose)
    assert np.abs(carried.quads.reshape(-1, 2) - true).max() < 2 * limit_px + 0.5
    assert (carried.boxes[:, :2] <= carried.quads.min(axis=1) + 1e-9).all()


def test_the_perspective_is_undone_to_the_recorded_picture() -> None:
    view = replace(NEAR, yaw_deg=15, fill=0.8, lens=0.02)
    camera = ScreenCamera(LAYOUT, view)
    glimpse = look(camera, camera.film(shown(7)))
    inside = (slice(4, -4), slice(4, -4))
    back = rectify(camera.film(shown(7)), LAYOUT, glimpse.pose)
    assert np.abs(back[inside].astype(int) - frame(7)[inside].astype(int)).mean() < 2.5


@pytest.mark.parametrize("seam", [Seam(0.3, 0.01), Seam(0.5, 0.1), Seam(0.7, 0.01), Seam(0.5, 6.0)])
def test_a_picture_of_two_frames_is_mixed(seam: Seam) -> None:
    camera = ScreenCamera(LAYOUT, replace(NEAR, noise=2))
    glimpse = look(camera, camera.film(shown(8), shown(7), seam))
    assert (glimpse.sight, glimpse.code) == (Sight.MIXED, None)


def test_a_screen_out_of_focus_is_unreadable_and_not_mixed() -> None:
    camera = ScreenCamera(LAYOUT, replace(NEAR, blur_px=3.0))
    glimpse = look(camera, camera.film(shown(7)))
    assert (glimpse.sight, glimpse.code) == (Sight.UNREADABLE, None)


@pytest.mark.parametrize(("place", "name"), [(0, "upper left"), (3, "lower right"), (4, "lower middle")])
def test_a_covered_marker_is_named(place: int, name: str) -> None:
    camera = ScreenCamera(LAYOUT, replace(NEAR, covered=place))
    told = look_at(camera.film(shown(7)), LAYOUT, ScreenFinder(LAYOUT))
    assert isinstance(told, str)
    assert f"without its {name} marker" in told


def test_a_picture_without_a_screen_says_so() -> None:
    told = look_at(np.full((540, 960, 3), 60, np.uint8), LAYOUT, ScreenFinder(LAYOUT))
    assert told == "show no screen: none of its markers is in the picture"


def test_levels_contrast_and_blur_are_those_of_the_camera() -> None:
    camera = ScreenCamera(LAYOUT, replace(NEAR, gain=0.6, ambient=30, blur_px=1.2))
    transfer = look(camera, camera.film(shown(7))).transfer
    assert np.allclose(transfer.levels, [0.6 * level + 30 for level in LEVELS], atol=1.5)
    assert transfer.gain == pytest.approx(0.6, abs=0.01)
    assert not transfer.is_saturated
    camera_px = 960 * NEAR.fill / LAYOUT.width * LAYOUT.picture[2] / LAYOUT.frame_width  # a pixel of the frame
    assert transfer.blur_px == pytest.approx(np.hypot(1.2, 0.4) / camera_px, rel=0.2)
    assert look(camera, ScreenCamera(LAYOUT, replace(NEAR, gain=1.5)).film(shown(7))).transfer.is_saturated


def test_a_screen_is_followed_while_the_camera_moves() -> None:
    finder = ScreenFinder(LAYOUT)
    for number in range(4):
        camera = ScreenCamera(LAYOUT, replace(NEAR, fill=0.8, roll_deg=0.5 * number))
        glimpse = look_at(camera.film(shown(number)), LAYOUT, finder)
        assert isinstance(glimpse, Glimpse)
        assert glimpse.code == code(number)


def test_a_screen_that_is_too_small_is_refused() -> None:
    with pytest.raises(CallWrong, match="too small"):
        lay_out(400, 300, 480, 270)
