import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from hilgui.gui.replay.decoder import Decoder
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.pictures import Origin, Picture, RunPictures
from hilgui.gui.replay.player import SPEEDS, Player
from hilgui.records import SourceFacts
from hilgui.store import RunReader
from tests.gui.replay_run import FPS, MISSED, header_of, make_run, number_in

FRAMES = 90


class CountingPictures:
    """Gives small frames and remembers what was asked, in order; `gate` holds a read up until it is opened."""

    def __init__(self, *, size: int = 8) -> None:
        self.read_seqs: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._size = size
        self.is_closed = False

    def open(self) -> str:
        return ""

    def read(self, seq: int) -> Picture:
        self.gate.wait(240)
        self.read_seqs.append(seq)
        return Picture(seq, np.full((self._size, self._size, 4), seq % 256, np.uint8), None, Origin.RECORDING)

    def close(self) -> None:
        self.is_closed = True


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def pictures() -> CountingPictures:
    return CountingPictures()


@pytest.fixture
def decoder(pictures: CountingPictures) -> Iterator[Decoder]:
    decoder = Decoder(pictures)
    yield decoder
    pictures.gate.set()
    decoder.close()


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Drive:
    made = make_run(tmp_path_factory.mktemp("drive"), frames=FRAMES)
    reader = RunReader(made.folder)
    drive = Drive(reader.header)
    drive.extend(reader.timeline())
    drive.state = "finished"
    reader.close()
    return drive


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def player(qapp: QApplication, drive: Drive, decoder: Decoder, clock: Clock) -> Iterator[Player]:
    player = Player(None, clock)
    player.load(drive, decoder)
    yield player
    player.load(None, None)


def until(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 240
    while not is_true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.002)


def shown(player: Player, row: int) -> None:
    """Let the player take the frame that it waits for."""
    until(lambda: player.tick() or (player.picture is not None and player.picture.seq == row))


def test_the_newest_request_wins(decoder: Decoder, pictures: CountingPictures) -> None:
    pictures.gate.clear()
    decoder.want(3, end=FRAMES)
    for seq in (10, 20, 30, 40):
        decoder.want(seq, end=FRAMES)
    pictures.gate.set()

    until(lambda: decoder.ready(40))

    assert not {10, 20, 30} & set(pictures.read_seqs[: pictures.read_seqs.index(40)])


def test_frames_around_a_resting_position_are_decoded_ahead(decoder: Decoder, pictures: CountingPictures) -> None:
    decoder.want(50, end=FRAMES, ahead=4, behind=4)

    until(lambda: all(decoder.ready(seq) for seq in range(46, 55)))

    assert pictures.read_seqs == [50, 51, 52, 53, 54, 46, 47, 48, 49]


def test_walking_back_decodes_a_block_forwards(decoder: Decoder, pictures: CountingPictures) -> None:
    decoder.want(50, end=FRAMES, ahead=0, behind=0)
    until(lambda: decoder.ready(50))
    decoder.want(49, end=FRAMES, ahead=0, behind=8)
    until(lambda: decoder.ready(49))

    assert pictures.read_seqs == [50, *range(42, 50)]


def test_memory_stays_within_its_budget(pictures: CountingPictures) -> None:
    decoder = Decoder(pictures, budget_bytes=8 * 8 * 4 * 10)
    try:
        for seq in range(0, FRAMES, 3):
            decoder.want(seq, end=FRAMES, ahead=8, behind=0)
            until(lambda seq=seq: decoder.ready(seq))
        kept = [seq for seq in range(FRAMES) if decoder.ready(seq)]
        assert len(kept) <= 10
        assert 87 in kept
    finally:
        decoder.close()


def test_closing_ends_the_thread_and_the_source(pictures: CountingPictures) -> None:
    decoder = Decoder(pictures)
    decoder.want(1, end=FRAMES)

    assert decoder.close(5)
    assert pictures.is_closed


def test_a_step_is_frame_exact_both_ways(player: Player) -> None:
    player.go_to(40)
    player.step(1)
    player.step(-2)
    shown(player, 39)

    assert player.position == 39


def test_steps_stop_at_both_ends(player: Player) -> None:
    player.step(-1)
    assert player.position == 0
    player.go_to(10**9)
    assert player.position == FRAMES - 1


def test_playing_follows_the_clock_at_its_speed(player: Player, clock: Clock) -> None:
    player.set_speed(2.0)
    player.play()
    shown(player, 0)
    clock.now_s += 10 / FPS
    shown(player, 20)

    assert player.position == 20


def test_a_late_frame_holds_the_clock_instead_of_skipping_a_second(
    player: Player, clock: Clock, pictures: CountingPictures
) -> None:
    player.play()
    shown(player, 0)
    clock.now_s += 40 / FPS
    pictures.gate.clear()
    player.tick()
    at = player.position
    clock.now_s += 1.0
    player.tick()
    pictures.gate.set()
    shown(player, at)

    assert at <= player.position <= at + 1


def test_playing_as_fast_as_possible_shows_what_is_decoded(player: Player) -> None:
    player.set_speed(None)
    player.play()
    until(lambda: player.tick() or not player.is_playing)

    assert player.position == FRAMES - 1


def test_playing_ends_at_the_last_frame_and_starts_again(player: Player, clock: Clock) -> None:
    player.go_to(FRAMES - 1)
    shown(player, FRAMES - 1)
    player.play()

    assert player.position == 0


def test_a_loop_goes_back_to_its_first_frame(player: Player, clock: Clock) -> None:
    player.set_loop(30, 33)
    player.go_to(31)
    player.play()
    shown(player, 31)
    clock.now_s += 5 / FPS
    shown(player, 30)  # by way of 33, which may be on the screen too briefly to be seen here

    assert player.is_playing


def test_bookmarks_are_visited_around_the_end(player: Player) -> None:
    for row in (50, 10, 30):
        player.go_to(row)
        player.toggle_bookmark()

    visited = []
    for _ in range(4):
        player.go_to_bookmark(1)
        visited.append(player.position)

    assert player.bookmarks == (10, 30, 50)
    assert visited == [50, 10, 30, 50]


def test_a_bookmark_is_taken_away_by_the_same_key(player: Player) -> None:
    player.toggle_bookmark()
    player.toggle_bookmark()

    assert player.bookmarks == ()


def test_speeds_end_at_both_ends_of_the_scale(player: Player) -> None:
    for _ in SPEEDS:
        player.slower()
    assert player.speed == 0.1
    for _ in SPEEDS:
        player.faster()
    assert player.speed is None


def test_pictures_are_those_of_the_recording(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    pictures = RunPictures(made.folder)
    try:
        assert pictures.open() == ""
        for seq in (33, 34, 12, 59, 0):
            picture = pictures.read(seq)
            assert picture.origin is Origin.RECORDING
            assert picture.moment is not None and picture.moment.ref.seq == seq
            assert picture.image is not None
            image = picture.image
            assert number_in(lambda x, y, image=image: float(image[y, x, :3].mean())) == seq
    finally:
        pictures.close()


def test_a_run_about_a_part_of_a_recording_finds_it(tmp_path: Path) -> None:
    pictures = RunPictures(make_run(tmp_path, last=49).folder)
    try:
        assert pictures.open() == ""
        assert pictures.read(12).origin is Origin.RECORDING
    finally:
        pictures.close()


def test_a_recording_that_moved_is_replaced_by_the_clips(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    made.video.rename(tmp_path / "elsewhere.mp4")
    pictures = RunPictures(made.folder)
    try:
        note = pictures.open()
        assert "drive.mp4" in note and "clips" in note
        kept, lost = pictures.read(MISSED[0]), pictures.read(0)
        assert kept.origin is Origin.CLIP and kept.image is not None
        assert lost.origin is Origin.NOBODY and lost.problem
    finally:
        pictures.close()


def test_a_recording_that_was_replaced_is_not_shown(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    other = make_run(tmp_path / "other", frames=40)
    other.video.rename(made.video)
    pictures = RunPictures(made.folder)
    try:
        assert "40 frames" in pictures.open()
        assert pictures.read(MISSED[0]).origin is Origin.CLIP
    finally:
        pictures.close()


def test_an_unordered_set_is_played_picture_by_picture() -> None:
    facts = SourceFacts("set", "image folder", "set", "", 0, 0, None, 3, ordered=False)
    drive = Drive(header_of(facts))

    assert not drive.has_time
    assert drive.period_s == 0.5
