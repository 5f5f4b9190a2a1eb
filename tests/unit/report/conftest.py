from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hilgui.records import Role
from hilgui.store import RunReader
from tests.unit.report.night_run import header, write_run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs"), header())


@pytest.fixture
def reader(run_folder: Path) -> Iterator[RunReader]:
    opened = RunReader(run_folder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def lone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same drive with the baseline alone."""
    return write_run(tmp_path_factory.mktemp("lone"), header("20260131-150000-night-aaaa", roles=(Role.BASELINE,)))


@pytest.fixture
def lone_reader(lone_folder: Path) -> Iterator[RunReader]:
    opened = RunReader(lone_folder)
    yield opened
    opened.close()
