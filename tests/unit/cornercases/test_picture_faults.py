"""Over-exposed, blur, noise burst, invalid output, time fault; also on rendered pictures that were spoilt."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.cornercases import HealthMeter, Watch
from hilgui.cornercases.blur import Blur
from hilgui.cornercases.invalid_output import InvalidOutput
from hilgui.cornercases.noise_burst import NoiseBurst
from hilgui.cornercases.over_exposed import OverExposed
from hilgui.cornercases.time_fault import TimeFault
from hilgui.records import FrameHealth, Hit, Kind, Severity
from hilgui.scenes.render import Renderer
from hilgui.scenes.weather import DAY
from tests.unit.cornercases.drive import FPS, PERSON, B, context, look, moment, seqs

Image = NDArray[np.uint8]


def saturated(*shares: float) -> list[Hit]:
    healths = [FrameHealth(120.0, 40.0, share, 3.0, 400.0) for share in shares]
    return look(OverExposed(context()), [moment(seq, health=each) for seq, each in enumerate(healths)])


def test_more_than_a_quarter_saturated_is_over_exposed_and_a_quarter_is_not() -> None:
    (hit,) = saturated(0.1, 0.25, 0.26)
    assert hit.seq == 2
    assert hit.why == "26% of the picture are saturated for {duration}, the limit is 25%"


def test_a_long_blinding_is_high() -> None:
    assert [hit.severity for hit in saturated(*[0.5] * 16)][13:15] == [Severity.MEDIUM, Severity.HIGH]


def sharp(*values: float, deviation: float = 40.0, mean: float = 100.0, noise: bool = False) -> list[Hit]:
    healths = [FrameHealth(mean, deviation, 0.0, 3.0, value) for value in values]
    detector = NoiseBurst(context()) if noise else Blur(context())
    return look(detector, [moment(seq, health=each) for seq, each in enumerate(healths)])


def test_a_sharpness_below_a_quarter_of_the_usual_is_blurred() -> None:
    hits = sharp(*[400.0] * 20, 99.0, 101.0, 50.0)
    assert seqs(hits) == [20, 22]
    assert hits[0].why == "the picture is blurred or flat for {duration}: its sharpness is 25% of the usual"


def test_before_ten_frames_nothing_is_usual_and_five_seconds_of_blur_become_it() -> None:
    assert sharp(*[400.0] * 9, 10.0) == []
    hits = sharp(*[400.0] * 60, *[50.0] * 300)
    assert len(hits) == 5 * FPS + 1


def test_without_contrast_a_picture_is_flat_unless_it_is_dark() -> None:
    (hit,) = sharp(400.0, deviation=14.9)
    assert hit.why.endswith("its grey levels deviate by 14.9 only")
    assert sharp(400.0, deviation=15.0) == []
    assert sharp(400.0, deviation=3.0, mean=9.0) == []


def test_a_sharpness_above_four_times_the_usual_is_noise() -> None:
    hits = sharp(*[400.0] * 20, 1601.0, 1599.0, noise=True)
    assert seqs(hits) == [20]
    assert "4.0 times the usual" in hits[0].why


def test_a_sharpness_that_was_not_measured_says_nothing() -> None:
    assert sharp(*[math.nan] * 30) == sharp(*[math.nan] * 30, noise=True) == []


def test_rows_that_are_no_boxes_are_reported_and_are_high_where_nothing_is_left() -> None:
    person = [(PERSON, (300.0, 200.0, 340.0, 300.0), 0.8)]
    moments = [moment(0, seen={B: person}), moment(1, seen={B: person}, invalid=3), moment(2, seen={B: []}, invalid=1)]
    hits = look(InvalidOutput(context(candidate=False)), moments)
    assert [(hit.seq, hit.severity) for hit in hits] == [(1, Severity.MEDIUM), (2, Severity.HIGH)]
    assert hits[1].why.startswith("the baseline gives 1 row that is no box for {duration}")


def stamped(*periods: float, lost_before: int | None = None) -> list[Hit]:
    moments = []
    seq, now = 0, 0.0
    for nth, step in enumerate((0.0, *periods)):
        now += step / FPS
        seq += 0 if nth == 0 else 3 if nth == lost_before else 1
        moments.append(moment(seq, time_s=now))
    return look(TimeFault(context()), moments)


def test_time_that_stands_still_goes_back_or_jumps_is_at_fault() -> None:
    hits = stamped(1.0, 1.51, 1.0, 0.0, 1.0, -2.0)
    assert [(hit.seq, hit.severity) for hit in hits] == [(2, Severity.LOW), (4, Severity.MEDIUM), (6, Severity.MEDIUM)]
    assert hits[0].why == "50 ms passed since the frame before, 1.5 periods, and no frame is known lost"
    assert hits[1].why == "time stands still from the frame before"
    assert hits[2].why == "time goes back by -66.7 ms from the frame before".replace("-", "")


def test_jitter_of_half_a_period_and_frames_that_are_known_lost_are_allowed_for() -> None:
    assert stamped(1.49, 0.51, 1.0, 1.2) == []
    assert stamped(1.0, 3.0, 1.0, lost_before=2) == []
    assert seqs(stamped(1.0, 3.6, 1.0, lost_before=2)) == [4]


@pytest.fixture(scope="module")
def street() -> list[Image]:
    return [picture.image for picture in Renderer(DAY, seed=3, seconds=1.6).pictures(every=2)]


def spoilt(street: list[Image], spoil: Callable[[Image], Image]) -> set[Kind]:
    """Spoil three of the rendered pictures and let every detector look at their health."""
    meter, watch = HealthMeter(), Watch(context(candidate=False))
    findings = []
    for seq, image in enumerate(street):
        shown = spoil(image) if 15 <= seq < 18 else image
        findings += watch.look(moment(seq, seen={B: []}, health=meter.measure(shown))).closed
    return {finding.kind for finding in findings + watch.finish()}


def noisy(image: Image) -> Image:
    noise = np.random.default_rng(1).normal(0, 40, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


SPOILT = [
    ("as rendered", lambda image: image, set()),
    ("out of focus", lambda image: cv2.GaussianBlur(image, (0, 0), 6), {Kind.BLUR}),
    ("noise", noisy, {Kind.NOISE_BURST}),
    ("blinded", lambda image: cv2.convertScaleAbs(image, alpha=1, beta=150), {Kind.OVER_EXPOSED}),
    ("no light", lambda image: image // 60, {Kind.BLACK_FRAME}),
]


@pytest.mark.parametrize(("spoil", "kinds"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_rendered_pictures_that_were_spoilt_are_called_by_their_fault(
    street: list[Image], spoil: Callable[[Image], Image], kinds: set[Kind]
) -> None:
    assert spoilt(street, spoil) - {Kind.DRIFT} >= kinds
    if not kinds:
        assert spoilt(street, spoil) == set()
