from dataclasses import replace

import numpy as np
import pytest

from hilgui.gui.replay.account import account_of, score_text, thing_of_finding
from hilgui.gui.replay.compare_mode import CompareMode, Layers, chosen, differing, side
from hilgui.gui.replay.drive import role_words
from hilgui.gui.replay.overlay import Layer, State, Thing, followed, thing_at, things_of
from hilgui.gui.replay.overlay_painter import Taken
from hilgui.gui.replay.viewport import Viewport, actual_size, fit, panned, resized, zoomed
from hilgui.records import Detections, Moment, Role, RunHeader, SourceFacts
from tests.gui.replay_run import MISSED, PHANTOM, UNLABELLED, header_of, moment_of, person_box

FACTS = SourceFacts("drive.mp4", "video", "drive.mp4", "", 320, 180, 30.0, 60, ordered=True)
HEADER: RunHeader = header_of(FACTS)


def things(seq: int) -> tuple[Thing, ...]:
    return things_of(moment_of(seq), HEADER)


def find(seq: int, layer: Layer, name: str) -> Thing:
    return next(thing for thing in things(seq) if thing.layer is layer and thing.name.startswith(name))


def test_a_truth_that_only_the_candidate_missed_says_so() -> None:
    person = find(MISSED[0], Layer.TRUTH, "person")

    assert person.state is State.MISSED
    assert person.missed_by == (Role.CANDIDATE,)
    assert person.name == "person #7"


def test_detections_below_the_threshold_are_not_drawn() -> None:
    assert not [t for t in things(MISSED[0]) if t.layer is Layer.CANDIDATE and t.name == "person"]


def test_a_detection_without_truth_is_a_phantom_that_the_other_model_does_not_report() -> None:
    phantom = next(thing for thing in things(PHANTOM[0]) if thing.state is State.PHANTOM)

    assert phantom.layer is Layer.BASELINE
    assert not phantom.agrees


def test_nothing_is_judged_without_labels() -> None:
    assert {thing.state for thing in things(UNLABELLED[0])} == {State.UNJUDGED}


def test_regions_of_the_camera_profile_are_drawn_on_frames_without_labels_too() -> None:
    box = (0.0, 150.0, 320.0, 180.0)
    header = replace(HEADER, source=replace(FACTS, regions=(box,)))
    moment = moment_of(UNLABELLED[0])

    regions = [thing for thing in things_of(moment, header) if thing.layer is Layer.TRUTH]

    assert [(thing.box, thing.state) for thing in regions] == [(box, State.IGNORED)]
    assert "ignore region" in account_of(regions[0], moment, header).sentence
    assert {t.box for t in things_of(moment_of(MISSED[0]), header)}.isdisjoint({box}), "labels bring their own"


def test_errors_are_drawn_last() -> None:
    errors = [thing.is_error for thing in things(PHANTOM[0])]

    assert errors == sorted(errors)


def test_a_lost_frame_has_nothing_to_draw() -> None:
    assert things_of(None, HEADER) == ()


def test_errors_only_follows_the_model_that_made_them() -> None:
    layers = Layers(frozenset({Layer.TRUTH, Layer.BASELINE}), errors_only=True)

    assert chosen(things(MISSED[0]), layers) == ()
    assert [thing.state for thing in chosen(things(PHANTOM[0]), layers)] == [State.PHANTOM]


def test_a_hidden_layer_is_not_drawn() -> None:
    layers = Layers().toggled(Layer.TRUTH)

    assert Layer.TRUTH not in {thing.layer for thing in chosen(things(0), layers)}


def test_the_side_of_the_baseline_does_not_show_what_the_candidate_missed() -> None:
    here, there = side(things(MISSED[0]), Role.BASELINE), side(things(MISSED[0]), Role.CANDIDATE)

    assert State.MISSED not in {thing.state for thing in here}
    assert State.MISSED in {thing.state for thing in there}
    assert Layer.CANDIDATE not in {thing.layer for thing in here}


def test_the_difference_shows_what_one_model_has_alone() -> None:
    names = {(thing.layer, thing.name) for thing in differing(things(MISSED[0]))}

    assert names == {(Layer.TRUTH, "person #7"), (Layer.BASELINE, "person")}


def test_the_modes_go_around() -> None:
    mode = CompareMode.OVERLAY
    for _ in CompareMode:
        mode = mode.following

    assert mode is CompareMode.OVERLAY


def test_the_smallest_box_under_the_cursor_is_meant() -> None:
    small = Thing(Layer.TRUTH, 0, (10, 10, 20, 20), "a", State.MATCHED)
    large = Thing(Layer.TRUTH, 1, (0, 0, 100, 100), "b", State.MATCHED)

    assert thing_at((large, small), 15, 15, 0) is small
    assert thing_at((large, small), 50, 50, 0) is large
    assert thing_at((large, small), 150, 50, 0) is None


def test_a_selection_follows_its_track_to_the_next_frame() -> None:
    person = find(5, Layer.TRUTH, "person")
    after = followed(person, things(40))

    assert after is not None and after.name == "person #7"


def test_a_selection_of_a_detection_stays_with_the_box() -> None:
    car = find(5, Layer.CANDIDATE, "car")
    after = followed(car, things(6))

    assert after is not None and after.layer is Layer.CANDIDATE and after.name == "car"
    assert followed(replace(car, box=(0, 0, 5, 5)), things(6)) is None


def account(seq: int, layer: Layer, name: str) -> tuple[str, dict[str, str]]:
    told = account_of(find(seq, layer, name), moment_of(seq), HEADER)
    return told.sentence, dict(told.facts)


def test_a_miss_is_told_with_what_both_models_saw() -> None:
    sentence, facts = account(MISSED[0], Layer.TRUTH, "person")

    assert sentence == "missed by the candidate; baseline found it, score .71"
    assert facts["candidate"] == "best score here .12, below threshold .35"
    assert facts["baseline"].startswith("score .71, IoU .9")
    assert facts["distance"] == "14.5 m"
    assert facts["track"] == "7"


def test_another_class_seen_faintly_is_no_score_of_the_missed_one() -> None:
    moment = moment_of(MISSED[0])
    person = find(MISSED[0], Layer.TRUTH, "person")
    box = np.array([person.box], np.float32)
    car = Detections(box, np.array([0.16], np.float32), np.array([HEADER.vocabulary.names.index("car")], np.int32))
    seen = replace(moment.inferences[Role.CANDIDATE], detections=car)
    moment = replace(moment, inferences={**moment.inferences, Role.CANDIDATE: seen})

    told = dict(account_of(person, moment, HEADER).facts)
    assert told["candidate"] == "no person here at any score; car .16, below threshold .35"


def test_a_model_named_like_its_role_is_named_once() -> None:
    assert role_words(Role.CANDIDATE, "candidate") == "candidate"
    assert role_words(Role.CANDIDATE, "yolo-v12") == "candidate · yolo-v12"


def test_a_phantom_is_told_with_the_other_models_view() -> None:
    thing = next(thing for thing in things(PHANTOM[0]) if thing.state is State.PHANTOM)
    told = account_of(thing, moment_of(PHANTOM[0]), HEADER)

    assert told.sentence == "phantom of the baseline: no label fits; the other model does not report it"
    assert dict(told.facts)["candidate"] == "nothing here at any score"
    assert dict(told.facts)["best IoU with any truth"] == "0.000"


def test_a_right_detection_names_its_partner() -> None:
    sentence, facts = account(0, Layer.CANDIDATE, "person")

    assert sentence == "right: the candidate found a labelled object"
    assert facts["track"] == "7"
    assert facts["baseline"].startswith(".71 here")


def test_an_unlabelled_frame_is_told_as_such() -> None:
    sentence, _ = account(UNLABELLED[0], Layer.CANDIDATE, "person")

    assert sentence == "not judged: this frame has no labels"


def test_a_candidate_that_skipped_the_frame_is_not_blamed() -> None:
    moment = moment_of(0)
    alone: Moment = replace(
        moment,
        inferences={Role.BASELINE: moment.inferences[Role.BASELINE]},
        comparisons={Role.BASELINE: moment.comparisons[Role.BASELINE]},
        disagreement=None,
    )
    person = next(thing for thing in things_of(alone, HEADER) if thing.layer is Layer.TRUTH)
    told = account_of(person, alone, HEADER)

    assert "the candidate skipped this frame" in told.sentence
    assert dict(told.facts)["candidate"] == "skipped this frame"


def test_the_object_of_a_finding_is_found_by_its_box() -> None:
    thing = thing_of_finding(things(MISSED[0]), person_box(MISSED[0]), Role.CANDIDATE)

    assert thing is not None and thing.state is State.MISSED
    assert thing_of_finding(things(0), (300.0, 0.0, 310.0, 10.0), None) is None


@pytest.mark.parametrize(("score", "text"), [(0.714, ".71"), (0.999, "1.00"), (0.0042, "0.004"), (0.01, ".01")])
def test_scores_are_short(score: float, text: str) -> None:
    assert score_text(score) == text


def view() -> Viewport:
    return fit(Viewport((800.0, 600.0), (320, 180)))


def test_a_fitted_picture_touches_two_sides() -> None:
    assert view().to_pane(0, 0) == pytest.approx((0.0, 75.0))
    assert view().to_pane(320, 180) == pytest.approx((800.0, 525.0))


def test_zooming_keeps_the_point_under_the_cursor() -> None:
    near = zoomed(view(), 4.0, 500, 300)

    assert near.to_image(500, 300) == pytest.approx(view().to_image(500, 300))
    assert not near.is_fit


def test_a_zoomed_picture_cannot_be_dragged_out_of_sight() -> None:
    away = panned(zoomed(view(), 4.0, 400, 300), 1e6, -1e6)

    assert away.to_image(0, 0)[0] == pytest.approx(0)
    assert away.to_image(800, 600)[1] == pytest.approx(180)


def test_actual_size_is_one_pixel_for_one() -> None:
    assert actual_size(view()).scale == 1.0
    assert actual_size(view(), 2.0).scale == 0.5


def test_a_fitted_view_stays_fitted_when_the_pane_grows() -> None:
    larger = resized(view(), (1600.0, 1200.0), (320, 180))

    assert larger.scale == pytest.approx(5.0)
    assert larger.is_fit


def test_a_zoomed_view_keeps_its_centre_when_the_pane_grows() -> None:
    near = zoomed(view(), 8.0, 400, 300)

    assert resized(near, (1000.0, 700.0), (320, 180)).centre == pytest.approx(near.centre)


def test_a_label_never_covers_another_and_none_is_left_out_without_need() -> None:
    random, taken, kept = np.random.default_rng(0), Taken(15), []
    for x, y, wide in random.integers(0, 300, (400, 3)).tolist():
        label = (x, y, x + wide + 5)
        covers = any(x < right and label[2] > left and abs(y - top) < 15 for left, top, right in kept)

        assert taken.is_free(*label) is not covers
        if not covers:
            taken.take(*label)
            kept.append(label)
    assert len(kept) > 10
