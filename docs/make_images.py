"""Makes the pictures of the application in docs/images from a real window on a virtual screen.

    python docs/make_images.py [RUN]

RUN is a stored run of the shipped night drive; without it the newest one is taken, or one is made. Needs Xvfb
(Debian: apt install xvfb).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
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
    found = [folder for folder in run_folders(runs) if "-night-" in folder.name]
    if not found:
        subprocess.run([sys.executable, "-m", "hilgui", "demo", "--headless"], check=True, cwd=ROOT)
        found = [folder for folder in run_folders(runs) if "-night-" in folder.name]
    return found[0]


def main() -> int:
    """Start a screen, let the window paint itself there, stop the screen."""
    server = shutil.which("Xvfb")
    if server is None:
        sys.stderr.write("make_images: Xvfb is missing; on Debian: apt install xvfb\n")
        return 4
    run = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else night_run()
    reading, writing = os.pipe()
    command = [server, "-screen", "0", "1920x1200x24", "-displayfd", str(writing), "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    try:
        os.close(writing)
        with os.fdopen(reading) as answer:
            display = f":{answer.readline().strip()}"
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        arguments = [sys.executable, "-c", RENDER, str(run), str(HERE / "images")]
        return subprocess.run(arguments, env=environment, check=False, cwd=ROOT).returncode
    finally:
        screen.terminate()
        screen.wait()


if __name__ == "__main__":
    raise SystemExit(main())
