"""Settings: four layers, mistakes named with their key."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import CallWrong
from hilgui.settings import load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text('provider = "cuda"\noperator = "file"\n[corner_cases.phantom]\nscore = 0.6\n')
    return path


def test_defaults_hold_where_nothing_is_given(tmp_path: Path) -> None:
    settings = load_settings(file=tmp_path / "none.toml", environment={})
    assert (settings.provider, settings.corner_cases.phantom.score) == ("auto", 0.5)


def test_the_command_line_wins_over_environment_over_file(file: Path) -> None:
    environment = {"HILGUI_OPERATOR": "environment", "HILGUI_CORNER_CASES__PHANTOM__SCORE": "0.7"}
    settings = load_settings(file=file, environment=environment, operator="call")
    assert (settings.provider, settings.operator, settings.corner_cases.phantom.score) == ("cuda", "call", 0.7)


def test_a_value_that_was_not_given_does_not_hide_a_lower_layer(file: Path) -> None:
    assert load_settings(file=file, environment={}, operator=None).operator == "file"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("provder = 'cpu'", "provder"),
        ("provider = 'tpu'", "provider"),
        ("[corner_cases.phantom]\nscore = 2", r"corner_cases\.phantom\.score"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(CallWrong, match=key):
        load_settings(file=path, environment={})


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("provider = ")
    with pytest.raises(CallWrong, match=r"settings\.toml"):
        load_settings(file=path, environment={})


def test_the_environment_may_name_another_file(file: Path) -> None:
    assert load_settings(environment={"HILGUI_SETTINGS": str(file)}).operator == "file"


def test_an_empty_variable_counts_as_not_set(file: Path) -> None:
    settings = load_settings(
        environment={"HILGUI_SETTINGS": "", "HILGUI_WORKERS": "", "HILGUI_HOME": "", "HILGUI_X": ""}
    )
    assert settings.workers == 0 and settings.home != Path()
    assert load_settings(file=file, environment={"HILGUI_OPERATOR": ""}).operator == "file"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"HILGUI_WORKER": "2"}, "HILGUI_WORKER is not a setting; did you mean HILGUI_WORKERS?"),
        ({"HILGUI_PROVIDER__X": "2"}, "HILGUI_PROVIDER__X is not a setting; did you mean HILGUI_PROVIDER?"),
        ({"HILGUI_FOO": "2"}, "HILGUI_FOO is not a setting; there are HILGUI_HOME, "),
        ({"HILGUI_CLIPS": "2"}, "HILGUI_CLIPS is not a setting; "),
        ({"HILGUI_WORKERS": "two"}, "variable HILGUI_WORKERS: workers is 'two', but must be a whole number"),
        ({"HILGUI_WORKERS": "-1"}, "workers is '-1', but must be greater than or equal to 0"),
        ({"HILGUI_THEME": "pink"}, "theme is 'pink', but must be 'system', 'dark' or 'light'"),
    ],
)
def test_a_wrong_variable_is_named_in_words(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(CallWrong) as failure:
        load_settings(file=tmp_path / "none.toml", environment=environment)
    assert sentence in str(failure.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("worker = 2", "there is no setting 'worker'; did you mean workers?"),
        ("[corner_cases.phantom]\nscor = 2", "did you mean corner_cases.phantom.score"),
        ("corner_cases = 2", "there is no setting 'corner_cases'"),
        ("[provider]\nname = 'cpu'", "there is no setting 'provider.name'"),
        ("workers = 1.5", "workers is 1.5, but must be a whole number"),
    ],
)
def test_a_mistake_in_the_file_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(CallWrong) as failure:
        load_settings(file=path, environment={})
    assert str(failure.value).startswith(f"settings file {path}: ") and sentence in str(failure.value)


def test_a_wrong_value_of_the_command_line_is_said_to_come_from_there(file: Path) -> None:
    with pytest.raises(CallWrong, match="command line: provider is 'tpu'"):
        load_settings(file=file, environment={"HILGUI_PROVIDER": "cpu"}, provider="tpu")
