"""The specification of the desktop bundle; the bundle itself where HILGUI_TEST_BUNDLE=1 asks for it (minutes, 1 GB)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hilgui.plugins import GROUPS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_bundle", ROOT / "installer" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values(text: str) -> dict[str, Any]:
    """Read the constants at the head of a specification."""
    lines = [
        line for line in text.splitlines() if line.split(" = ")[0] in ("PLUGINS", "METADATA", "EXCLUDED", "LEFT_OUT")
    ]
    found: dict[str, Any] = {}
    exec("\n".join(lines), found)
    return found


def test_every_plug_in_and_its_announcement_travel_along(build: ModuleType) -> None:
    told = values(build.specification(with_cuda=False))
    entries = [entry for group in GROUPS for entry in entry_points(group=group)]

    assert {entry.value.partition(":")[0] for entry in entries} == set(told["PLUGINS"])
    assert {entry.dist.name for entry in entries if entry.dist} <= set(told["METADATA"])


def test_shipped_files_lie_where_resources_look_for_them(build: ModuleType) -> None:
    text = build.specification(with_cuda=False)

    assert '"/assets", "hilgui/assets"' in text
    assert '"/testcases", "hilgui/testcases"' in text
    assert '"/NOTICE", "."' in text
    assert "/hilgui/evidence/" in text, "evidence bundles carry the source of their verifier"
    compile(text, "hilgui.spec", "exec")


def test_the_large_libraries_of_cuda_come_only_where_asked_for(build: ModuleType) -> None:
    name = "libonnxruntime_providers_cuda"

    assert name in values(build.specification(with_cuda=False))["LEFT_OUT"]
    assert name not in values(build.specification(with_cuda=True))["LEFT_OUT"]


def test_nothing_that_hilgui_needs_is_left_out(build: ModuleType) -> None:
    import tomllib

    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {name.split(">")[0].split(";")[0].strip().lower() for name in needed}

    assert not {name.lower() for name in values(build.specification(with_cuda=False))["EXCLUDED"]} & names


def test_a_child_process_of_the_bundle_gets_no_further_than_its_own_work() -> None:
    text = (ROOT / "installer" / "frozen_main.py").read_text(encoding="utf-8")

    assert text.index("freeze_support()") < text.index("from hilgui.cli import main")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_bundle_runs_doctor_replay_and_demo(tmp_path: Path) -> None:
    if os.environ.get("HILGUI_TEST_BUNDLE") != "1":
        pytest.skip("HILGUI_TEST_BUNDLE=1 builds and runs the bundle, which takes minutes and 1 GB")
    command = [sys.executable, str(ROOT / "installer" / "build.py"), "bundle", "--check", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
