"""What the report of a result says first."""

from pathlib import Path

import pytest

from hilgui.evaluation import Interval
from hilgui.records import Role
from hilgui.robustness import ATTACKS, CORRUPTIONS, Check, Headline, Result
from hilgui.robustness.report import result_document


def made(kind: str, is_good: bool | None) -> Result:
    check = Check("noise hurts less than FGSM", is_good, "damage 0.4 against 0.3")
    interval = Interval(0.4, 0.6, 0.95, "drive", 9, "percentile bootstrap")
    return Result(
        kind, "r", "2026-11-25T22:00:00+00:00", "0.1.0", "FGSM on m", {}, (), (), (), "AP", (), (),
        headlines=(Headline("clean", Role.BASELINE, 0.5, interval),), checks=(check,), is_whole=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "is_good", "word"),
    [
        (ATTACKS, True, "MEASURED"),
        (ATTACKS, None, "UNSURE"),
        (ATTACKS, False, "TOO WEAK"),
        (CORRUPTIONS, False, "NOT CONCLUSIVE"),
    ],
)
def test_its_word_is_that_of_the_attack_and_figures_stand_with_intervals(
    kind: str, is_good: bool | None, word: str, tmp_path: Path
) -> None:
    document = result_document(tmp_path, made(kind, is_good))
    assert document.word == word
    assert document.figures == (("clean AP, baseline", "0.500 [0.400, 0.600]"),)
    assert "noise hurts less than FGSM: damage 0.4 against 0.3" in [one.text for one in document.why]
