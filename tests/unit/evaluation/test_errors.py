"""Error split, confusion, curves and calibration on toys that can be drawn on paper, and the frames behind them."""

from __future__ import annotations

import pytest

from hilgui.errors import CallWrong
from hilgui.evaluation import frames_behind
from hilgui.evaluation.error_split import ERRORS

from .drawn import NAMES, noisy, quality

CAR, PERSON = 0, 1
HERE, SHIFTED, FAR = (0, 0, 40, 40), (20, 0, 60, 40), (100, 100, 140, 140)  # HERE and SHIFTED overlap by a third

FRAMES = {
    "match": ([(HERE, CAR, 0.9)], [(HERE, CAR)]),
    "classification": ([(HERE, PERSON, 0.9)], [(HERE, CAR)]),
    "localisation": ([(SHIFTED, CAR, 0.9)], [(HERE, CAR)]),
    "both": ([(SHIFTED, PERSON, 0.9), (HERE, CAR, 0.8)], [(HERE, CAR)]),
    "duplicate": ([(HERE, CAR, 0.9), (HERE, CAR, 0.8)], [(HERE, CAR)]),
    "background": ([(FAR, CAR, 0.9), (HERE, CAR, 0.95)], [(HERE, CAR)]),
    "missed": ([], [(HERE, CAR)]),
}


@pytest.mark.parametrize("error", ERRORS)
def test_each_error_is_told_apart_and_led_back_to_its_frame(error: str) -> None:
    drawn = quality(list(FRAMES.values()))
    assert drawn.errors().count(error) == 1
    behind = frames_behind(drawn, f"tide.{error}")
    assert [each.seq for each in behind] == [list(FRAMES).index(error)]


def test_fixing_the_only_error_of_a_kind_gives_the_whole_precision() -> None:
    for error in ("classification", "localisation", "missed"):
        drawn = quality([FRAMES["match"], FRAMES[error]])
        value = drawn.figures()["map_50"].value
        gain = drawn.errors().gains[error]
        assert value is not None and gain is not None
        assert value + gain == pytest.approx(1.0), error


def test_a_duplicate_costs_what_deleting_it_gains() -> None:
    drawn = quality([([(HERE, CAR, 0.9), (HERE, CAR, 0.8)], [(HERE, CAR)]), ([(HERE, CAR, 0.7)], [(HERE, CAR)])])
    value, gain = drawn.figures()["map_50"].value, drawn.errors().gains["duplicate"]
    assert gain is not None and gain > 0
    assert value == pytest.approx(1.0 - gain)


def test_the_confusion_matrix_counts_pairs_and_background() -> None:
    confusion = quality(list(FRAMES.values())).details()["confusion"]
    assert confusion["classes"] == [*NAMES, "background"]
    # Rows are what was there: 4 cars found, 1 shown as a person, 2 not shown; 3 cars and a person where nothing is.
    assert confusion["counts"] == [[4, 1, 2], [0, 0, 0], [3, 1, 0]]


def test_the_diagonal_of_the_confusion_is_what_recall_counts() -> None:
    drawn = quality(noisy(60, 1))
    counts = drawn.details()["confusion"]["counts"]
    figures = drawn.figures()
    for column, name in enumerate(NAMES):
        assert figures[f"recall.{name}"].value == pytest.approx(counts[column][column] / sum(counts[column]))
        assert figures[f"precision.{name}"].value == pytest.approx(
            counts[column][column] / sum(row[column] for row in counts)
        )


def test_curves_against_the_score_pass_through_the_operating_point() -> None:
    drawn = quality(noisy(80, 2))
    figures, curves = drawn.figures(), drawn.details()["by_score"]
    place = curves["threshold"].index(0.5)
    for name in ("precision", "recall", "f1"):
        assert curves[name][place] == pytest.approx(figures[name].value)
    assert figures["best_f1"].value == pytest.approx(max(value for value in curves["f1"] if value is not None))


def test_scores_that_say_how_often_they_are_right_are_calibrated() -> None:
    """Score .8 and right four times of five: no error; score .9 and always wrong: an error of .9."""
    four_of_five = [([(HERE, CAR, 0.8)], [(HERE, CAR)])] * 4 + [([(FAR, CAR, 0.8)], [])]
    assert quality(four_of_five).figures()["calibration_error"].value == pytest.approx(0.0, abs=1e-6)
    wrong = quality([([(FAR, CAR, 0.9)], [])])
    assert wrong.figures()["calibration_error"].value == pytest.approx(0.9, abs=1e-6)
    assert frames_behind(wrong, "calibration_error")[0].contribution == pytest.approx(0.9, abs=1e-6)


def test_the_frames_behind_a_rate_add_up_to_its_errors() -> None:
    drawn = quality(noisy(60, 3))
    figures = drawn.figures()
    for name, wrong in (("recall.person", "recall.person"), ("precision.car", "precision.car")):
        figure = figures[name]
        assert figure.value is not None
        assert sum(each.contribution for each in frames_behind(drawn, wrong)) == pytest.approx(
            figure.count * (1 - figure.value)
        )
    behind = frames_behind(drawn, "recall")
    assert [each.contribution for each in behind] == sorted((each.contribution for each in behind), reverse=True)
    assert behind[0].key == f"drawn#{behind[0].seq}"


def test_a_confused_pair_leads_to_its_frame() -> None:
    drawn = quality(list(FRAMES.values()))
    assert [each.seq for each in frames_behind(drawn, "confusion.car.person")] == [1]
    assert [each.seq for each in frames_behind(drawn, "confusion.car.background")] == [2, 6]


def test_a_count_of_truths_leads_to_their_frames() -> None:
    drawn = quality(noisy(60, 3))
    for name in ("person", "car"):
        behind = frames_behind(drawn, f"truths.{name}")
        assert sum(each.contribution for each in behind) == drawn.figures()[f"recall.{name}"].count


@pytest.mark.parametrize("name", ["recal.person", "recall.persn", "tide.nothing", "confusion.tram.car"])
def test_a_figure_that_there_is_not_is_refused_with_a_suggestion(name: str) -> None:
    with pytest.raises(CallWrong, match=r"try|write"):
        frames_behind(quality([FRAMES["match"]]), name)
