#!/usr/bin/env python3
"""Make what a desktop gets.

    python installer/build.py bundle [--out DIR] [--with-cuda] [--check]   a folder that runs without Python

`bundle` writes a PyInstaller specification from the entry points that are installed, builds it and prints the size.
`--check` then runs the bundle from an empty folder with an empty environment: doctor, replay, demo --headless.
PyInstaller comes with the development requirements (python3 bootstrap.py test installs them).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hilgui.plugins import GROUPS  # noqa: E402

# Read by their names at run time (doctor, packages that ask for their own version), so their metadata travel along.
METADATA = (
    "hilgui",
    "av",
    "numpy",
    "onnxruntime-gpu" if sys.platform != "darwin" else "onnxruntime",
    "opencv-python",
    "pydantic",
    "pyqtgraph",
    "pyserial",
    "PySide6-Essentials",
)
# Not needed by a bench: build and test tools that lie in the same environment, parts of Qt that no widget uses, and
# what optional features of our packages would pull in.
EXCLUDED = (
    "IPython",
    "PyInstaller",
    "PySide6.QtNetworkAuth",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtQuickWidgets",
    "PySide6.QtSql",
    "PySide6.QtTest",
    "PySide6.QtDesigner",
    "PySide6.QtHelp",
    "PySide6.QtUiTools",
    "_pytest",
    "fontTools",
    "hypothesis",
    "matplotlib",
    "motmetrics",
    "mypy",
    "onnx",
    "openvino",
    "pip",
    "pycocotools",
    "pytest",
    "pyvisa",
    "river",
    "setuptools",
    "sklearn",
    "tkinter",
    "torch",
    "trackeval",
)
# Libraries by the start of their file names: 270 MB of CUDA kernels that need 2 GB of NVIDIA's libraries beside them,
# and Qt's translations, QML and virtual keyboard.
GPU_LIBRARIES = ("libonnxruntime_providers_cuda", "libonnxruntime_providers_tensorrt", "onnxruntime_providers_cuda")
QT_LEFT_OUT = ("libQt6Qml", "libQt6Quick", "libQt6VirtualKeyboard", "libQt6Pdf", "libQt6Sql", "libQt6Designer")


class Trouble(Exception):
    """A step that cannot be done: what, why, what to try."""


def specification(*, with_cuda: bool) -> str:
    """Write the text of a PyInstaller specification for what is installed here."""
    entries = [entry for group in GROUPS for entry in entry_points(group=group)]
    modules = sorted({entry.value.partition(":")[0] for entry in entries})
    strangers = {entry.dist.name for entry in entries if entry.dist is not None}
    metadata = sorted({*METADATA, *strangers})
    left_out = QT_LEFT_OUT if with_cuda else (*QT_LEFT_OUT, *GPU_LIBRARIES)
    return f"""# Written by installer/build.py; do not edit.
from pathlib import PurePath

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

ROOT = {str(ROOT)!r}
PLUGINS = {modules!r}
METADATA = {metadata!r}
EXCLUDED = {list(EXCLUDED)!r}
LEFT_OUT = {left_out!r}

datas = [(ROOT + "/assets", "hilgui/assets"), (ROOT + "/testcases", "hilgui/testcases")]
datas += [(ROOT + "/LICENSE", "."), (ROOT + "/NOTICE", ".")]
datas += collect_data_files("hilgui")
datas += collect_data_files("devices")
for part in ("chain", "stored_zip", "verify"):  # the sources that evidence bundles carry as their own verifier
    datas += [(ROOT + "/hilgui/evidence/" + part + ".py", "hilgui/evidence")]
for name in METADATA:
    datas += copy_metadata(name)

analysis = Analysis(
    [ROOT + "/installer/frozen_main.py"],
    pathex=[ROOT],
    datas=datas,
    hiddenimports=[*PLUGINS, *collect_submodules("hilgui"), *collect_submodules("devices")],
    excludes=EXCLUDED,
    noarchive=False,
)


def stays(name):
    place = PurePath(name)
    if place.name.startswith(LEFT_OUT) or "translations" in place.parts and "PySide6" in place.parts:
        return False
    return "training" not in place.parts and "qml" not in place.parts


analysis.binaries = [each for each in analysis.binaries if stays(each[0])]
analysis.datas = [each for each in analysis.datas if stays(each[0])]
executable = EXE(
    PYZ(analysis.pure), analysis.scripts, [], exclude_binaries=True, name="hilgui", console=True, strip=False, upx=False
)
COLLECT(executable, analysis.binaries, analysis.datas, name="hilgui", strip=False, upx=False)
"""


def bundle(out: Path, *, with_cuda: bool) -> Path:
    """Build the folder `out`/hilgui; give the program in it. Raises Trouble."""
    work = ROOT / "build" / "bundle"
    work.mkdir(parents=True, exist_ok=True)
    spec = work / "hilgui.spec"
    spec.write_text(specification(with_cuda=with_cuda), encoding="utf-8")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(out), "--workpath", str(work), str(spec)]
    if subprocess.run(command, check=False).returncode != 0:
        raise Trouble("PyInstaller failed; its last lines say why (python3 bootstrap.py test installs it)")
    return out / "hilgui" / ("hilgui.exe" if os.name == "nt" else "hilgui")


def size_mb(folder: Path) -> float:
    """Give what a folder takes, links counted once."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def largest(folder: Path, count: int = 12) -> list[tuple[float, str]]:
    """Name the largest parts of a bundle: MB and place."""
    parts = [(size_mb(each) if each.is_dir() else each.stat().st_size / 1e6, each.name) for each in folder.iterdir()]
    return sorted(parts, reverse=True)[:count]


def check(program: Path) -> None:
    """Run the bundle far from the checkout, with next to no environment; raises Trouble."""
    demo = next(program.parent.rglob("assets/demo"))
    with tempfile.TemporaryDirectory(prefix="hilgui bundle ") as home:
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **kept, "HILGUI_HOME": f"{home}/data"}
        calls = [
            ["doctor"],
            ["replay", str(demo / "day.mp4"), "--baseline", str(demo / "baseline.onnx"), "--provider", "cpu"],
            ["demo", "--headless"],
        ]
        for call in calls:
            started = time.monotonic()
            print(f"$ hilgui {' '.join(call)}", flush=True)
            done = subprocess.run(
                [str(program), *call], cwd=home, env=environment, capture_output=True, text=True, check=False
            )
            print(done.stdout, done.stderr, sep="", end="")
            print(f"exit code {done.returncode} after {time.monotonic() - started:.0f} s", flush=True)
            if done.returncode != 0 and call != ["doctor"]:  # what the machine lacks is no fault of the bundle
                raise Trouble(f"hilgui {call[0]} ended with {done.returncode} in the bundle")
            if call == ["doctor"] and "work" not in done.stdout:
                raise Trouble("the doctor of the bundle does not list its plug-ins")


def main() -> int:
    """Do what was asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["bundle"])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--with-cuda", action="store_true", help="take onnxruntime's CUDA and TensorRT libraries along")
    parser.add_argument("--check", action="store_true", help="run the result")
    given = parser.parse_args()
    try:
        program = bundle(given.out.resolve(), with_cuda=given.with_cuda)
        parts = ", ".join(f"{name} {megabytes:.0f}" for megabytes, name in largest(program.parent / "_internal"))
        print(f"{program.parent}: {size_mb(program.parent):.0f} MB ({parts})")
        if given.check:
            check(program)
    except Trouble as trouble:
        print(f"installer: {trouble}", file=sys.stderr)
        return 4
    if shutil.which("hilgui") is None:
        print(f"start it with {program}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
