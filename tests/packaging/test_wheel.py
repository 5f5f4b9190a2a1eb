"""What a stranger gets who installs the wheel: everything that is needed, nothing else, far from any checkout."""

import configparser
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.flow.tiny import write_drive, write_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory) -> Path:
    """Give a folder where nothing but the wheel is installed; the requirements come from this environment."""
    folder = tmp_path_factory.mktemp("site with a space")
    options = ["--no-index", "--no-deps", "--disable-pip-version-check", "--quiet", "--target", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, capture_output=True)
    return folder


@pytest.fixture
def python(site, tmp_path):
    """Run Python on the installed wheel, away from the checkout; give what it printed."""

    def run(*arguments: object) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_top_level_is_hilgui_and_devices(names):
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"hilgui", "devices"}


def test_shipped_files_are_inside_the_package(names):
    tracked = subprocess.run(["git", "ls-files", "assets", "testcases"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode != 0:
        pytest.skip("this is no git checkout, so there is no list of files to compare with")
    wanted = {f"hilgui/{name}" for name in tracked.stdout.splitlines() if "/training/" not in name}
    assert wanted
    assert sorted(wanted - set(names)) == []


def test_training_tests_and_screenshots_stay_at_home(names):
    assert [name for name in names if "training" in name or "tests/" in name or "docs/" in name] == []
    assert [name for name in names if "__pycache__" in name] == []


def test_licence_notice_and_types_travel_along(names):
    ends = ("licenses/LICENSE", "licenses/NOTICE", "hilgui/py.typed", "devices/py.typed")
    assert [end for end in ends if not any(name.endswith(end) for name in names)] == []


def test_every_entry_point_names_something_that_exists(wheel, names, python):
    (listing,) = [name for name in names if name.endswith("entry_points.txt")]
    entries = configparser.ConfigParser(delimiters=("=",))
    entries.optionxform = str  # type: ignore[assignment,method-assign]
    with zipfile.ZipFile(wheel) as archive:
        entries.read_string(archive.read(listing).decode())
    script = """
import json, sys
from importlib.metadata import EntryPoint
loaded = [EntryPoint("", value, "").load().__name__ for value in sys.argv[1:]]
print(json.dumps(loaded))
"""
    values = [value for group in entries.sections() for value in entries[group].values()]
    assert json.loads(python("-c", script, *values)) == [value.partition(":")[2] or value for value in values]


def test_plugins_and_files_are_found_in_the_installed_wheel(python, site):
    script = """
import json, hilgui
from hilgui import plugins, resources
broken = [each.name for group in plugins.GROUPS for each in plugins.load(group).values() if each.target is None]
names = ["assets/demo/night.mp4", "assets/icons/hilgui.svg", "assets/themes", "testcases/demo-drives.txt"]
paths = [str(resources.shipped(name)) for name in names]
print(json.dumps({"file": hilgui.__file__, "paths": paths, "broken": broken, "checkout": resources.checkout()}))
"""
    told = json.loads(python("-c", script))
    assert [path for path in (told["file"], *told["paths"]) if not Path(path).is_relative_to(site)] == []
    assert (told["broken"], told["checkout"]) == ([], None)


def test_the_queue_of_demo_drives_fits_a_checkout_and_the_wheel_alike(site):
    from hilgui.cli.replaying import read_list

    for folder in (ROOT, site / "hilgui"):
        drives = read_list(folder / "testcases" / "demo-drives.txt")
        assert len(drives) == 3
        assert all(drive.exists() for drive in drives)


def test_engine_report_and_windows_work_from_the_installed_wheel(python, tmp_path):
    write_drive(tmp_path / "drive.mp4", frames=20)
    write_model(tmp_path / "model.onnx")
    arguments = ("replay", "drive.mp4", "--baseline", "model.onnx", "--provider", "cpu", "--out", "runs", "--json")
    told = json.loads(python("-m", "hilgui", *arguments))
    assert (told["verdict"], told["frames"]["evaluated"]) == ("PASS", 20)
    python("-m", "hilgui", "export", told["run"], "--format", "html", "--out", "report.html")
    assert (tmp_path / "report.html").stat().st_size > 0
    script = """
import sys
from pathlib import Path
from hilgui.gui.app import render_screenshots
print(*render_screenshots(Path(sys.argv[1]), Path("pictures")), sep="\\n")
"""
    pictures = [tmp_path / line for line in python("-c", script, told["run"]).splitlines()]
    assert pictures
    assert all(picture.stat().st_size > 0 for picture in pictures)


@pytest.mark.slow
def test_the_shipped_model_and_drive_run_in_the_installed_wheel(python, site):
    demo = site / "hilgui" / "assets" / "demo"
    drive, model = demo / "night.mp4", demo / "baseline.onnx"
    told = json.loads(
        python("-m", "hilgui", "replay", drive, "--baseline", model, "--provider", "cpu", "--out", "runs", "--json")
    )
    assert told["verdict"] == "PASS"
    assert told["frames"]["evaluated"] == told["frames"]["with_truth"] > 0
