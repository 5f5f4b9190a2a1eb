"""Which noise holds for a run: that of the run named by the settings, measured with the same models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.errors import CallWrong
from hilgui.pipeline.self_noise import measured_noise
from hilgui.records import RunHeader
from hilgui.report.noise import NoiseFloor, write_noise
from hilgui.settings import Settings
from tests.unit.report.night_run import header, write_run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = write_run(tmp_path / "runs", header())
    return Settings(home=tmp_path, noise=folder.name)


def test_nothing_is_named_nothing_is_known(tmp_path: Path) -> None:
    assert measured_noise(Settings(home=tmp_path), header().models) == {}


def test_the_figures_and_the_run_they_come_from_go_into_the_header(settings: Settings) -> None:
    write_noise(settings.runs / settings.noise, NoiseFloor(3, 2, 10, 1, 0.25, 1.5, {}, 0.125))
    noise = measured_noise(settings, header().models)
    assert noise == {"run_id": header().run_id, "score": 0.25, "box_px": 1.5, "disagreement": 0.125}
    stored = replace(header(), noise=noise).as_json()
    assert RunHeader.from_json(stored).noise == noise
    assert RunHeader.from_json({name: value for name, value in stored.items() if name != "noise"}).noise == {}


def test_a_run_that_was_never_measured_is_refused(settings: Settings) -> None:
    with pytest.raises(CallWrong, match="was never measured; run `hilgui noise"):
        measured_noise(settings, header().models)


def test_the_noise_of_other_models_is_refused(settings: Settings) -> None:
    write_noise(settings.runs / settings.noise, NoiseFloor(3, 2, 10, 1, 0.25, 1.5))
    strangers = {role: replace(facts, name="other", sha256="9" * 64) for role, facts in header().models.items()}
    with pytest.raises(CallWrong, match="says nothing about other"):
        measured_noise(settings, strangers)
