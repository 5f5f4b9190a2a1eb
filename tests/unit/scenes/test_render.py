"""What the renderer promises about its pictures and their truth."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.scenes.camera import Camera
from hilgui.scenes.render import Picture, Renderer
from hilgui.scenes.traffic import Casting
from hilgui.scenes.truth import Truth
from hilgui.scenes.weather import CONDITIONS, DAY, NIGHT


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return list(Renderer(DAY, seed=5, seconds=9.0).pictures(every=90))


@pytest.fixture(scope="module")
def night() -> Picture:
    return next(Renderer(NIGHT, 3, 1.0).pictures())


def test_the_visible_pixels_of_a_sight_are_its_pixels_in_the_id_buffer(pictures: list[Picture]) -> None:
    for picture in pictures:
        for number, sight in enumerate(picture.sights, start=1):
            visible = int(np.count_nonzero(picture.ids == number))
            assert visible == sight.visible
            assert sight.occlusion == pytest.approx(1.0 - visible / sight.pixels, abs=1e-12)


def test_every_visible_pixel_lies_in_its_box(pictures: list[Picture]) -> None:
    for picture in pictures:
        for number, sight in enumerate(picture.sights, start=1):
            rows, columns = np.nonzero(picture.ids == number)
            x, y, width, height = sight.box
            assert columns.min() >= x
            assert rows.min() >= y
            assert columns.max() < x + width
            assert rows.max() < y + height


def test_a_sight_that_nothing_hides_fills_its_box(pictures: list[Picture]) -> None:
    free = [
        (picture.ids == number, sight.box)
        for picture in pictures
        for number, sight in enumerate(picture.sights, start=1)
        if sight.occlusion == 0.0
    ]

    assert free
    for mine, (x, y, width, height) in free:
        rows, columns = np.nonzero(mine)
        assert (columns.min(), rows.min()) == (x, y)
        assert (columns.max() + 1 - x, rows.max() + 1 - y) == (width, height)


def test_the_scene_holds_hidden_and_crossing_people(pictures: list[Picture]) -> None:
    people = [sight for picture in pictures for sight in picture.sights if sight.category == "person"]

    assert any(sight.occlusion > 0.3 for sight in people)
    assert any(sight.speed_mps > 1.0 for sight in people)


def test_two_renderers_of_one_seed_agree_in_every_byte(night: Picture) -> None:
    again = next(Renderer(NIGHT, 3, 1.0).pictures())

    assert np.array_equal(night.image, again.image)
    assert night.sights == again.sights


def test_another_seed_gives_another_picture(night: Picture) -> None:
    other = next(Renderer(NIGHT, 4, 1.0).pictures())

    assert not np.array_equal(night.image, other.image)


def test_skipping_frames_does_not_change_those_that_are_painted() -> None:
    every = {picture.index: picture.image for picture in Renderer(CONDITIONS["dusk_rain"], 8, 0.3).pictures()}
    third = {picture.index: picture.image for picture in Renderer(CONDITIONS["dusk_rain"], 8, 0.3).pictures(3)}

    assert sorted(third) == [0, 3, 6]
    assert all(np.array_equal(every[index], image) for index, image in third.items())


def test_night_is_darker_than_day(night: Picture, pictures: list[Picture]) -> None:
    assert night.image.mean() < pictures[0].image.mean() / 2


def test_a_scene_without_people_has_vehicles_only() -> None:
    kinds = {actor.kind for actor in Casting(3, NIGHT, 5.0, people=False).cast().actors}

    assert kinds == {2, 3}


def test_the_car_never_drives_into_a_person() -> None:
    traffic = Casting(11, DAY, 20.0).cast()

    for _ in range(600):
        traffic.step(1.0 / 30.0)
        touched = [
            actor.track
            for actor in traffic.actors
            if actor.kind == 0 and abs(actor.x) < 0.9 and -1.0 < actor.z - traffic.ego.z < 1.5
        ]
        assert not touched or traffic.ego.speed < 0.6


def test_a_point_on_the_road_is_found_again_by_its_row() -> None:
    camera = Camera()
    pixels, _ = camera.project(np.array([(0.0, 0.0, 20.0)]))

    distance = camera.fy * camera.height_m / (pixels[0, 1] - camera.horizon_px)

    assert distance == pytest.approx(20.0, rel=0.01)


def test_an_empty_frame_is_listed_in_the_truth() -> None:
    truth = Truth("empty", 1, DAY, Camera())
    blank = np.zeros((540, 960), np.uint8)

    truth.add(Picture(0, np.zeros((540, 960, 3), np.uint8), blank, ()))

    assert [image["frame_index"] for image in truth.record()["images"]] == [0]
    assert truth.record()["annotations"] == []
