"""Every odd file gives exactly the frame that was asked for, however it is asked."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hilgui.records import Frame, Loss
from hilgui.sources.video import VideoSource
from hilgui.stream import StopToken
from tests.corpus.clips import CORPUS, Odd
from tests.corpus.numbers import number_of

SHORT, LONG = 20, 200


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("corpus")
    return {odd.name: odd.write(folder) for odd in CORPUS}


def first_number(odd: Odd, source: VideoSource) -> int:
    """Say which number the first frame carries; a file cut at the front tells it by what is left."""
    return odd.first if odd.first >= 0 else odd.frames - len(source.refs())


@pytest.mark.parametrize("odd", CORPUS, ids=lambda odd: odd.name)
def test_a_straight_read_gives_every_number_once(odd: Odd, written: dict[str, Path]) -> None:
    source = VideoSource(written[odd.name])
    facts = source.open()
    items = list(source.frames(StopToken()))
    first = first_number(odd, source)
    assert not [item for item in items if isinstance(item, Loss)]
    assert [number_of(item.image) for item in items if isinstance(item, Frame)] == list(range(first, odd.frames))
    assert facts.frames == odd.frames - first
    assert [ref.seq for ref in source.refs()] == list(range(odd.frames - first))


@pytest.mark.parametrize("odd", CORPUS, ids=lambda odd: odd.name)
def test_random_seeks_give_the_number_that_was_asked_for(odd: Odd, written: dict[str, Path]) -> None:
    assert wrong_seeks(odd, written[odd.name], SHORT) == []


@pytest.mark.slow
@pytest.mark.parametrize("odd", CORPUS, ids=lambda odd: odd.name)
def test_two_hundred_random_seeks_give_no_wrong_frame(odd: Odd, written: dict[str, Path]) -> None:
    assert wrong_seeks(odd, written[odd.name], LONG) == []


@pytest.mark.parametrize("odd", CORPUS, ids=lambda odd: odd.name)
def test_walking_backwards_and_to_and_fro_gives_the_right_numbers(odd: Odd, written: dict[str, Path]) -> None:
    source = VideoSource(written[odd.name])
    source.open()
    first, last = first_number(odd, source), len(source.refs()) - 1
    walk = [*range(last, last - 45, -1), 5, 6, 5, 4, 5, 30, 29, 31, 0, last]
    numbers = [number_of(source.frame_at(seq).image) for seq in walk]
    source.close()
    assert numbers == [first + seq for seq in walk]


def wrong_seeks(odd: Odd, path: Path, seeks: int) -> list[tuple[int, int]]:
    source = VideoSource(path)
    source.open()
    first, frames = first_number(odd, source), len(source.refs())
    order = random.Random(7)
    wrong = []
    for _ in range(seeks):
        seq = order.randrange(frames)
        number = number_of(source.frame_at(seq).image)
        if number != first + seq:
            wrong.append((seq, number))
    source.close()
    return wrong
