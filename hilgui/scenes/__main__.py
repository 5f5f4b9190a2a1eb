"""Render a drive: python -m hilgui.scenes OUT_DIR --condition night --seed 3."""

import argparse
import sys
from pathlib import Path

from hilgui.scenes.weather import CONDITIONS
from hilgui.scenes.write import write_drive


def show(done: int, frames: int) -> None:
    """Tell on stderr how far the drive is."""
    if done % 30 == 0 or done == frames:
        sys.stderr.write(f"\r{done}/{frames} frames")
        sys.stderr.write("\n" if done == frames else "")
        sys.stderr.flush()


def main() -> int:
    """Read the command line and render."""
    parser = argparse.ArgumentParser(prog="python -m hilgui.scenes", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="OUT_DIR")
    parser.add_argument("--condition", choices=sorted(CONDITIONS), required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--name", help="of the files; the condition when left out")
    parser.add_argument("--crf", type=int, default=25, help="quality of the H.264 video, higher is smaller")
    parser.add_argument("--no-people", action="store_true", help="leave out persons and cyclists")
    chosen = parser.parse_args()
    write_drive(
        chosen.folder,
        chosen.name or chosen.condition,
        CONDITIONS[chosen.condition],
        chosen.seed,
        chosen.seconds,
        chosen.crf,
        people=not chosen.no_people,
        progress=show,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
