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
