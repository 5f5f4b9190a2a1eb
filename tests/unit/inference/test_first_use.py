"""A model is tried once before it is used, and again when the file is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import ModelBroken
from hilgui.inference import first_use, try_before_first_use

from .test_preflight import bomb
from .tiny import dense


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_use.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))


def test_a_model_is_tried_the_first_time_only(tmp_path: Path) -> None:
    path = dense([[0, 0, 9, 9]], [[0.9, 0.1]]).write(tmp_path / "m.onnx")

    assert [try_before_first_use(path), try_before_first_use(path)] == [True, False]

    dense([[0, 0, 9, 8]], [[0.9, 0.1]]).write(path)
    assert try_before_first_use(path)


def test_a_model_that_harms_is_never_remembered(tmp_path: Path) -> None:
    path = bomb(tmp_path / "bomb.onnx")

    for _ in range(2):
        with pytest.raises(ModelBroken, match="wants more than"):
            try_before_first_use(path)


def test_a_cache_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    path = dense([[0, 0, 9, 9]], [[0.9, 0.1]]).write(tmp_path / "m.onnx")

    assert try_before_first_use(path)
