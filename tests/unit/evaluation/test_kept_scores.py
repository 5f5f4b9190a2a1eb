"""What a slider shows at once is what judging the run again would give."""

from pathlib import Path

import pytest

from hilgui.evaluation.kept_scores import KeptScores
from hilgui.records import Role
from hilgui.report import Changes, evaluate_runs
from hilgui.store import RunReader
from tests.gui.replay_run import make_run


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    reader = RunReader(make_run(tmp_path_factory.mktemp("kept")).folder)
    yield reader
    reader.close()


@pytest.mark.parametrize("threshold", [0.0, 0.15, 0.3, 0.5, 0.7, 0.81, 0.95, 1.0])
@pytest.mark.parametrize("role", list(Role))
def test_the_slider_counts_what_judging_again_counts(reader: RunReader, threshold: float, role: Role) -> None:
    quality = evaluate_runs([reader]).scorecard.detection(role)
    kept = KeptScores(quality.precision.ranked(), len(quality.subject.judged))
    again = evaluate_runs([reader], Changes(threshold=threshold)).scorecard.figures()[role]
    for column, label in ((None, ""), *((column, f".{name}") for column, name in enumerate(("person", "car")))):
        counted = kept.at(threshold, column)
        for name in ("recall", "precision", "f1"):
            assert getattr(counted, name) == pytest.approx(again[f"{name}{label}"].value), (name, label)
        assert counted.matched + counted.missed == again[f"recall{label}"].count
        assert counted.matched + counted.phantoms == again[f"precision{label}"].count


def test_a_class_without_truths_has_no_recall(reader: RunReader, tmp_path: Path) -> None:
    quality = evaluate_runs([reader]).scorecard.detection(Role.BASELINE)
    kept = KeptScores(quality.precision.ranked(), 5)
    assert kept.at(0.5, 4).recall is None and kept.at(0.5, 4).precision is None and kept.at(0.5, 4).f1 is None
