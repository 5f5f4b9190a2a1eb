"""Results on their shelf: written whole, read back, found, and refused where they are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.cli.robustness import in_words
from hilgui.errors import CallWrong, StoreBroken
from hilgui.evaluation.figure import Interval
from hilgui.records import Role
from hilgui.robustness import (
    ATTACKS,
    CORRUPTIONS,
    Cell,
    Example,
    Headline,
    Result,
    Shown,
    Subject,
    find_result,
    list_results,
    picture_path,
    read_result,
    write_picture,
    write_result,
)
from hilgui.robustness.result import to_json

SHOWN = Shown((1.0, 2.0, 30.0, 40.0), "person", "missed")
EXAMPLE = Example("day.mp4", 7, "1 of 2 objects lost", "pictures/a.jpg", "pictures/b.jpg", (), (SHOWN,))
RESULT = Result(
    kind=CORRUPTIONS,
    id="one",
    created="2026-11-25T12:00:00+00:00",
    version="1",
    title="day",
    question={"seed": 3},
    command=("hilgui", "robustness"),
    models=(Subject(Role.BASELINE, "m", "m.onnx", "ab"),),
    drives=(),
    measure="AP",
    rows=("fog",),
    columns=("1", "2"),
    cells=(
        Cell("fog", "1", Role.BASELINE, 0.5, Interval(0.4, 0.6, 0.95, "drive", 6, "percentile bootstrap"), 9),
        Cell("fog", "2", Role.BASELINE, None, examples=(EXAMPLE,)),
    ),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_result(tmp_path / "one", RESULT)
    assert read_result(tmp_path / "one") == RESULT
    cell = RESULT.cell("fog", "1", Role.BASELINE)
    assert cell is not None
    assert cell.value == 0.5
    assert RESULT.cell("fog", "1", Role.CANDIDATE) is None


def test_only_severities_are_averaged() -> None:
    whole = replace(RESULT, cells=tuple(Cell("fog", column, Role.BASELINE, float(column)) for column in ("1", "2")))
    assert (whole.heads, whole.line("fog", Role.BASELINE)) == (("1", "2", "mean"), [1.0, 2.0, 1.5])
    attack = replace(whole, kind=ATTACKS)
    assert (attack.heads, attack.line("fog", Role.BASELINE)) == (("1", "2"), [1.0, 2.0])


def test_an_attacked_model_is_called_so_and_counts_stay_whole(tmp_path: Path) -> None:
    subject = Subject(Role.BASELINE, "m", "m.onnx", "ab", part="attacked model")
    figures = tuple(Headline(name, Role.BASELINE, value) for name, value in (("open", 5), ("clean", 1.0)))
    write_result(tmp_path, replace(RESULT, kind=ATTACKS, models=(subject,), headlines=figures))
    found = read_result(tmp_path)
    assert found.called(Role.BASELINE) == "attacked model"
    assert RESULT.called(Role.BASELINE) == "baseline"
    assert [in_words(found, one) for one in found.headlines] == [
        "open attacked model: 5",
        "clean attacked model: 1.000",
    ]


def test_results_are_listed_by_kind_newest_first_and_a_damaged_one_says_why(tmp_path: Path) -> None:
    write_result(tmp_path / "one", RESULT)
    write_result(tmp_path / "two", replace(RESULT, id="two", created="2026-11-26T12:00:00+00:00"))
    write_result(tmp_path / "three", replace(RESULT, id="three", kind=ATTACKS))
    (tmp_path / "four").mkdir()
    (tmp_path / "four" / "result.json").write_text('{"kind": 3}', encoding="utf-8")
    assert [one.folder.name for one in list_results(tmp_path, CORRUPTIONS)] == ["two", "one", "four"]
    assert "cannot be read" in list_results(tmp_path)[-1].problem
    assert find_result("last", tmp_path).name == "two"
    assert find_result("thr", tmp_path).name == "three"
    with pytest.raises(CallWrong, match="fits 0"):
        find_result("five", tmp_path)


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"kind": "corruptions"}'])
def test_a_damaged_document_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(StoreBroken, match="measure again"):
        read_result(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(tmp_path: Path, value: float) -> None:
    text = to_json(RESULT).decode().replace('"value": 0.5', f'"value": {"NaN" if value != value else "1e999"}')
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoreBroken, match="not a number"):
        read_result(tmp_path)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    write_result(tmp_path, replace(RESULT, schema="hilgui/robustness.v9"))
    with pytest.raises(StoreBroken, match="v9"):
        read_result(tmp_path)


def test_pictures_are_found_inside_the_folder_only(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    folder = tmp_path / "one"
    name = write_picture(folder, "a.jpg", b"jpeg")
    assert picture_path(folder, name) == (folder / "pictures" / "a.jpg").resolve()
    assert picture_path(folder, "../secret.jpg") is None
    assert picture_path(folder, "") is None
