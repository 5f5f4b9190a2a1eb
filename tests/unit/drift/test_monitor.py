"""The monitor: false alarms at the stated rate, shifts found in a window, no verdict from what is too small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import ks_2samp

from hilgui.drift import Monitor, Origin, Reference, Sample, calibrate, make_reference, read_reference, write_reference
from hilgui.drift.blocks import block_starts, correlation_time
from hilgui.drift.distances import kernel, ks, median_width, mmd
from hilgui.errors import CallWrong, StoreBroken

NAMES = ("brightness", "contrast")


def _stream(seed: int, frames: int, memory: float = 0.9) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).standard_normal((frames + 300, 2)) * np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[300:]


def _sample(values: NDArray[np.float64], names: tuple[str, ...] = NAMES) -> Sample:
    seqs = np.arange(len(values))
    return Sample(names, values, seqs, seqs / 20.0, (len(values),))


def _reference(values: NDArray[np.float64]) -> Reference:
    return make_reference(_sample(values), (Origin("made", "made", len(values)),), {}, created="now", version="0")


def _alarms(reference: Reference, values: NDArray[np.float64], *, windows: int, rate: float = 0.05) -> list[set[str]]:
    calibration = calibrate(reference, rate=rate, windows=windows, window=3)
    monitor = Monitor(calibration)
    looks = [monitor.add(seq, seq / 20, dict(zip(NAMES, row, strict=True))) for seq, row in enumerate(values.tolist())]
    return [{one.statistic for one in look.alarms} for look in looks if look is not None]


def test_streams_without_drift_alarm_no_more_often_than_stated() -> None:
    """The short sibling of benchmarks/drift.py; the seeds are fixed, so it cannot come out otherwise by chance."""
    false = 0
    for seed in range(40):
        reference = _reference(_stream(seed, 1500))
        false += any(_alarms(reference, _stream(1000 + seed, 5 * 3 * reference.block), windows=5, rate=0.2))
    assert false <= 8


def test_a_shift_is_found_in_the_first_window() -> None:
    reference = _reference(_stream(1, 2000))
    found = _alarms(reference, _stream(2, 3 * reference.block) + 3.0, windows=1)
    assert {"shift", "ks", "mmd"} <= found[0]


def test_a_change_of_spread_alone_is_no_shift_of_the_mean_but_is_found() -> None:
    reference = _reference(_stream(1, 6000, memory=0.0))
    found = _alarms(reference, 4.0 * _stream(2, 3 * reference.block, memory=0.0), windows=1)
    assert "ks" in found[0]
    assert "shift" not in found[0]


def test_a_slow_rise_is_found_by_the_tests_that_follow_the_stream() -> None:
    reference = _reference(_stream(3, 3000, memory=0.5))
    frames = 30 * 3 * reference.block
    rising = _stream(4, frames, memory=0.5) + np.linspace(0, 3, frames)[:, None]
    assert {"page_hinkley", "adwin"} <= set().union(*_alarms(reference, rising, windows=30))


def test_frames_that_hang_together_make_long_blocks() -> None:
    assert correlation_time(_stream(5, 20_000, memory=0.0)[:, 0], [20_000]) == pytest.approx(1.0, abs=0.2)
    assert correlation_time(_stream(5, 20_000, memory=0.9)[:, 0], [20_000]) == pytest.approx(19.0, rel=0.2)


def test_drives_that_differ_as_a_whole_count_as_correlated_as_long_as_they_are() -> None:
    values = np.concatenate([_stream(6, 500, memory=0.0)[:, 0] + level for level in (0.0, 8.0)])
    assert correlation_time(values, [500, 500]) > 250


def test_a_block_never_reaches_over_two_drives() -> None:
    assert block_starts([10, 7], 4) == [0, 4, 10]


def test_a_reference_that_is_too_short_is_refused_with_what_to_try() -> None:
    with pytest.raises(CallWrong, match=r"too few for a reference: .* name a longer drive"):
        _reference(_stream(7, 100, memory=0.99))


def test_a_statistic_that_a_small_window_cannot_tell_has_no_limit() -> None:
    reference = _reference(_stream(8, 1500))
    small = {(one.figure, one.statistic): one for one in calibrate(reference, rate=0.01, windows=100, window=2).limits}
    assert small["brightness", "psi"].value is None
    assert small["brightness", "psi"].reached > 1.0
    large = {(one.figure, one.statistic): one for one in calibrate(reference, rate=0.05, windows=1, window=40).limits}
    assert large["brightness", "psi"].value is not None


def test_a_figure_that_never_changes_is_not_compared_by_its_rounding() -> None:
    """A score that is always .9 differs from its file in the eighth digit; that was taken for a drift."""
    values = _stream(14, 1500)
    values[:, 1] = np.float32(0.9)
    reference = _reference(values)
    assert calibrate(reference, rate=0.05, windows=5, window=3).figures == ("brightness",)
    again = _stream(15, 5 * 3 * reference.block)
    again[:, 1] = np.float32(0.9)
    assert _alarms(reference, again, windows=5) == [set()] * 5


def test_a_frame_without_a_figure_is_counted_and_not_compared() -> None:
    reference = _reference(_stream(9, 1500))
    monitor = Monitor(calibrate(reference, rate=0.05, windows=1, window=3))
    assert monitor.add(0, 0.0, {"brightness": 1.0}) is None
    assert monitor.missing == 1
    assert monitor.waiting == 0


def test_kolmogorov_smirnov_equals_scipy() -> None:
    rng = np.random.default_rng(10)
    one, two = rng.standard_normal(211).round(1), rng.standard_normal(97).round(1) + 0.3
    assert ks(one, two) == pytest.approx(ks_2samp(one, two).statistic, abs=1e-12)


def test_the_discrepancy_equals_its_definition() -> None:
    rng = np.random.default_rng(11)
    one, two = rng.standard_normal((40, 3)), rng.standard_normal((30, 3)) + 0.5
    width = median_width(np.concatenate([one, two]))

    def mean(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
        return float(np.mean([[np.exp(-((x - y) ** 2).sum() / (2 * width**2)) for y in right] for x in left]))

    assert mmd(one, two, width) ** 2 == pytest.approx(mean(one, one) + mean(two, two) - 2 * mean(one, two))
    assert kernel(one, one, width).diagonal() == pytest.approx(1.0)


def test_a_reference_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    reference = _reference(_stream(12, 1500))
    write_reference(tmp_path / "day.json", reference)
    assert read_reference(tmp_path / "day.json") == reference


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("schema", "hilgui/other.v1", "its schema"),
        ("names", ["brightness", "brightness"], "two have the same"),
        ("kept", 0, "make no sense"),
        ("rows", [[1.0, 2.0]], "whole blocks"),
        ("rows", "text", "rows"),
        ("memory", 1e9, "shorter than"),
    ],
)
def test_a_damaged_reference_is_refused_with_its_place(tmp_path: Path, key: str, value: object, why: str) -> None:
    path = tmp_path / "day.json"
    write_reference(path, _reference(_stream(13, 1500)))
    plain = json.loads(path.read_text())
    plain[key] = value
    path.write_text(json.dumps(plain))
    with pytest.raises(StoreBroken, match=rf"day\.json is no drift reference: .*{why}"):
        read_reference(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"7"])
def test_what_is_no_reference_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "day.json"
    path.write_bytes(content)
    with pytest.raises(StoreBroken, match=r"is no drift reference: \w"):
        read_reference(path)
