"""Makes the pictures of the application in docs/images from a real window on a virtual screen.

    python docs/make_images.py [RUN]

RUN is a stored run of the shipped night drive; without it the newest one is taken, or one is made. Needs Xvfb
(Debian: apt install xvfb).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtGui import QImage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NIGHT = re.compile("-night-[0-9a-f]{4}$")  # the shipped drive, none that the demo of the gate renders
LIMIT = 200_000  # bytes of a picture; a larger one is made smaller
SMALLER = 0.8
COLOURS = 256  # of a saved picture
EXACT = 96  # of these, kept as they are: surfaces, lines, words
SAMPLE = 20_000  # colours that k-means looks at
RENDER = """
import sys
from pathlib import Path
from hilgui.gui.app import render_screenshots
from hilgui.settings import load_settings
for path in render_screenshots(Path(sys.argv[1]), Path(sys.argv[2]), load_settings()):
    sys.stdout.write(f"{path}\\n")
"""


def night_run() -> Path:
    """Find the newest run of the night drive, or make one."""
    from hilgui.settings import load_settings
    from hilgui.store import run_folders

    runs = load_settings().runs
    found = [folder for folder in run_folders(runs) if NIGHT.search(folder.name)]
    if not found:
        subprocess.run([sys.executable, "-m", "hilgui", "demo", "--headless"], check=True, cwd=ROOT)
        found = [folder for folder in run_folders(runs) if NIGHT.search(folder.name)]
    return found[0]


def shrink(path: Path) -> None:
    """Reduce a picture to 256 colours of its own: the most frequent ones exactly, the others by k-means."""
    image = cv2.imread(str(path))
    pixels = image.reshape(-1, 3)
    packed = pixels.astype(np.int64) @ np.array([1, 256, 65536])
    colours, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    seen = np.stack([colours % 256, colours // 256 % 256, colours // 65536], axis=1).astype(np.float32)
    order = np.argsort(-counts)
    exact, rest = seen[order[:EXACT]], seen[order[EXACT:]]
    palette = exact
    if len(rest) > COLOURS - EXACT:
        cv2.setRNGSeed(1)
        sample = rest[np.random.default_rng(1).permutation(len(rest))[:SAMPLE]]
        rule = (cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
        _, _, centres = cv2.kmeans(sample, COLOURS - EXACT, None, rule, 1, cv2.KMEANS_PP_CENTERS)
        palette = np.concatenate([exact, centres.round()])
    elif len(rest):
        palette = np.concatenate([exact, rest])
    square = (palette**2).sum(axis=1)
    nearest = np.concatenate([(square - 2 * part @ palette.T).argmin(axis=1) for part in np.array_split(seen, 64)])
    indexed = np.ascontiguousarray(nearest[places.reshape(-1)].astype(np.uint8).reshape(image.shape[:2]))
    height, width = indexed.shape
    small = QImage(indexed.data, width, height, width, QImage.Format.Format_Indexed8)
    small.setColorTable([0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for b, g, r in palette])
    small.save(str(path), "PNG", 0)
    if path.stat().st_size > LIMIT:
        cv2.imwrite(str(path), cv2.resize(image, None, fx=SMALLER, fy=SMALLER, interpolation=cv2.INTER_AREA))
        shrink(path)


def judge_a_case() -> None:
    """Run the case whose verdict the Test cases page shows, unless it ran before."""
    from hilgui.sequencer.results import ResultShelf
    from hilgui.settings import load_settings

    if "night_pedestrian" not in ResultShelf(load_settings().home).newest():
        case = "testcases/night_pedestrian.case.yaml"
        subprocess.run([sys.executable, "-m", "hilgui", "run", case], check=False, cwd=ROOT)


def decide_and_stock() -> None:
    """Make what the Decide page and the Library show: the demo's gate, and a registry with its models."""
    from hilgui.models import Registry
    from hilgui.settings import load_settings

    settings = load_settings()
    hilgui = [sys.executable, "-m", "hilgui"]
    if not (settings.runs / "demo-gate-candidate").is_dir():
        subprocess.run([*hilgui, "demo", "--gate"], check=False, cwd=ROOT)
    if not Registry(settings.models).slots():
        for name in ("baseline", "candidate", "retrained"):
            subprocess.run([*hilgui, "models", "import", f"assets/demo/{name}.onnx"], check=True, cwd=ROOT)
        for alias, name in (("champion", "baseline"), ("candidate", "retrained")):
            subprocess.run([*hilgui, "models", "alias", "front-detector", alias, name], check=True, cwd=ROOT)


def corrupt() -> None:
    """Measure what the Robustness page shows, unless it was measured before."""
    from hilgui.settings import load_settings

    if not any((load_settings().home / "robustness").glob("*")):
        command = [
            sys.executable,
            "-m",
            "hilgui",
            "robustness",
            "assets/demo/night.mp4",
            "--frames",
            "12",
            "--no-search",
        ]
        models = ["--model", "assets/demo/baseline.onnx", "--candidate", "assets/demo/candidate.onnx"]
        subprocess.run([*command, *models], check=False, cwd=ROOT)


def explain(run: Path) -> None:
    """Explain the worst finding, which the Findings page stands at, unless it was explained before."""
    if not any((run / "explanations").glob("*.json")):
        hilgui = [sys.executable, "-m", "hilgui"]
        told = subprocess.run([*hilgui, "findings", str(run), "--json"], check=True, cwd=ROOT, capture_output=True)
        number = json.loads(told.stdout)["findings"][0]["number"]
        subprocess.run([*hilgui, "explain", str(run), str(number)], check=False, cwd=ROOT)


def main() -> int:
    """Start a screen, let the window paint itself there, stop the screen."""
    server = shutil.which("Xvfb")
    if server is None:
        sys.stderr.write("make_images: Xvfb is missing; on Debian: apt install xvfb\n")
        return 4
    run = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else night_run()
    judge_a_case()
    decide_and_stock()
    corrupt()
    explain(run)
    reading, writing = os.pipe()
    command = [server, "-screen", "0", "1920x1200x24", "-displayfd", str(writing), "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    try:
        os.close(writing)
        with os.fdopen(reading) as answer:
            display = f":{answer.readline().strip()}"
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        arguments = [sys.executable, "-c", RENDER, str(run), str(HERE / "images")]
        returned = subprocess.run(arguments, env=environment, check=False, cwd=ROOT).returncode
        for path in sorted((HERE / "images").glob("*.png")):
            shrink(path)
        return returned
    finally:
        screen.terminate()
        screen.wait()


if __name__ == "__main__":
    raise SystemExit(main())
