"""Runs for a gate are named one by one, by a folder, or by the campaign that holds them."""

from pathlib import Path

import pytest

from hilgui.errors import CallWrong
from hilgui.pipeline.deciding import runs_of
from tests.unit.evidence.bench import write_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Give a folder of runs with a lone one, and two in a campaign."""
    lone, *campaign = (write_run(tmp_path, number) for number in (1, 2, 3))
    (lone.parent / "night").mkdir()
    for folder in campaign:
        folder.rename(lone.parent / "night" / folder.name)
    return lone.parent


@pytest.mark.parametrize(
    ("words", "numbers"),
    [(["night"], "23"), (["{runs}/night"], "23"), (["0001", "night"], "123"), (["0002"], "2"), (["{runs}"], "1")],
)
def test_a_word_names_a_run_a_folder_or_a_campaign(runs: Path, words: list[str], numbers: str) -> None:
    found = runs_of([word.format(runs=runs) for word in words], runs)
    assert "".join(folder.name[-1] for folder in found) == numbers


@pytest.mark.parametrize("word", ["", "nowhere"])
def test_a_word_that_names_nothing_is_a_wrong_call(runs: Path, word: str) -> None:
    with pytest.raises(CallWrong):
        runs_of([word], runs)
