from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgui.gui.replay.drive import clock, parse_clock
from hilgui.gui.replay.series import Series, column_edges, covered


def test_a_peak_of_one_frame_in_a_million_stays_visible() -> None:
    values = np.zeros(1_000_000, np.float32)
    values[654_321] = 7
    series = Series()
    series.extend(values)
    edges = column_edges(0, 1_000_000, 1000, 1_000_000)

    columns = series.columns(edges)

    assert columns.high.max() == 7
    assert abs(int(columns.high.argmax()) - 654) <= 1


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.integers(1, 400))
def test_columns_of_a_series_that_grew_in_pieces_equal_those_of_the_whole(pieces: list[int], width: int) -> None:
    count = sum(pieces)
    values = np.random.default_rng(count).random(count).astype(np.float32)
    series = Series()
    start = 0
    for piece in pieces:
        series.extend(values[start : start + piece])
        start += piece
    edges = column_edges(0, count, width, count)

    columns = series.columns(edges)

    if count < 256 * width:
        wanted = [values[a : max(b, a + 1)].max() for a, b in pairwise(edges)]
        np.testing.assert_array_equal(columns.high, wanted)
    np.testing.assert_array_equal(series.values, values)
    assert columns.high.max() == values.max()
    assert columns.low.min() == values.min()


def test_columns_after_the_last_frame_are_left_out() -> None:
    edges = column_edges(0, 100, 50, 30)

    assert len(edges) == 16
    assert edges[-1] == 30


def test_a_column_without_numbers_is_nan() -> None:
    series = Series()
    series.extend([np.nan, np.nan, 1.0, 2.0])

    columns = series.columns(column_edges(0, 4, 2, 4))

    assert np.isnan(columns.high[0])
    assert columns.high[1] == 2


@given(
    st.integers(1, 500),
    st.integers(1, 80),
    st.floats(0, 0.9),
    st.floats(0.1, 1),
    st.lists(st.tuples(st.integers(0, 499), st.integers(0, 60)), max_size=8),
)
def test_spans_cover_the_columns_that_show_their_rows(
    count: int, width: int, begin: float, share: float, spans: list[tuple[int, int]]
) -> None:
    first = begin * count
    edges = column_edges(first, min(first + share * count, count), width, count)
    starts = np.array([a for a, _ in spans], np.int64)
    ends = np.array([a + n for a, n in spans], np.int64)

    got = covered(starts, ends, edges)

    rows = [range(int(a), max(int(b), int(a) + 1)) for a, b in pairwise(edges)]
    wanted = [any(a <= row <= b for a, b in zip(starts, ends, strict=True) for row in column) for column in rows]
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:00.933", 0.933), ("1:02.345", 62.345), ("1:00:00.000", 3600.0), ("12.5", 12.5), ("90", 90.0)],
)
def test_a_time_is_read_as_it_is_written(text: str, seconds: float) -> None:
    assert parse_clock(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "abc", "1:2:3:4", "-3", "1:x", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    assert parse_clock(text) is None


@given(st.integers(0, 10**8))
def test_the_clock_reads_back(milliseconds: int) -> None:
    assert parse_clock(clock(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)
