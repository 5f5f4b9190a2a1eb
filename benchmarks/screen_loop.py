"""Screen in the loop on a simulated camera: is the code read, are boxes carried exactly, is a mixture noticed?

    python benchmarks/screen_loop.py [--pictures N] [--drive D] [--markdown] [--seconds S]

Each row is one condition. `found`, `read`: share of pictures of single frames in which the screen was found and the
frame code was read; `wrong`: pictures that were read as another frame than the one shown. `corner px`: median and 95th
percentile of the distance between carried and true corners of the labels' boxes, in pixels of the recorded frame.
`mixed`: share of pictures of two frames, with the seam within the recorded picture, that were refused; all others would
be judged as one frame. `ms`: time to find, measure, read and straighten a picture, median.

With `--seconds` the drive is replayed twice through the demo model instead: filmed from the simulated screen for so
long at `--fps` frames a second, and directly, the same frames. AP and AP50 stand side by side: the difference is what
screen and camera cost.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from devices.sim.screen_camera import ScreenCamera, Seam, View
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Role
from hilgui.resources import shipped
from hilgui.settings import load_settings
from hilgui.sources import open_source
from hilgui.sources.screen import (
    Composer,
    Glimpse,
    ScreenFinder,
    ScreenLayout,
    corner_errors_px,
    drive_number,
    lay_out,
    look_at,
    on_screen,
    rectify,
)
from hilgui.sources.screen.carrying import box_corners
from hilgui.sources.screen.frame_code import make_code
from hilgui.store import RunReader
from hilgui.truth import find_truth, join, read_labels

MILD = {"blur_px": 0.7, "noise": 2.0, "gain": 0.95, "ambient": 5.0}
VIEWS: dict[str, View] = {
    "straight, ideal": View(),
    "straight": View(**MILD),
    "turned 10°": View(yaw_deg=10, pitch_deg=5, roll_deg=2, fill=0.85, **MILD),
    "turned 25°": View(yaw_deg=25, pitch_deg=10, roll_deg=5, fill=0.7, **MILD),
    "small in the picture (60 %)": View(fill=0.6, **MILD),
    "small in the picture (45 %)": View(fill=0.45, **MILD),
    "camera of 1920 x 1080": View(1920, 1080, **MILD),
    "blur 1.5 px": View(**MILD | {"blur_px": 1.5}),
    "blur 2 px": View(**MILD | {"blur_px": 2.0}),
    "blur 3 px": View(**MILD | {"blur_px": 3.0}),
    "noise 8": View(**MILD | {"noise": 8.0}),
    "noise 16": View(**MILD | {"noise": 16.0}),
    "dim (gain 0.3)": View(**MILD | {"gain": 0.3, "noise": 4.0}),
    "saturated (gain 1.5)": View(**MILD | {"gain": 1.5}),
    "bright room (+80)": View(**MILD | {"gain": 0.6, "ambient": 80.0}),
    "lens -3 %": View(lens=-0.03, **MILD),
    "lens +3 %": View(lens=0.03, **MILD),
    "all of it": View(
        yaw_deg=12, pitch_deg=6, roll_deg=3, fill=0.8, lens=-0.02, blur_px=1.2, noise=6, gain=0.7, ambient=20
    ),
    "a marker covered": View(covered=2, **MILD),
}


@dataclass(frozen=True)
class Drive:
    """Canvases of neighbouring frames, and the boxes of the labels."""

    layout: ScreenLayout
    canvases: list[NDArray[np.uint8]]
    numbers: list[int]
    boxes: list[NDArray[np.float64]]


def read_drive(path: Path, count: int) -> Drive:
    """Take pairs of neighbours all over the drive."""
    source = open_source(path)
    facts = source.open()
    layout = lay_out(1920, 1080, facts.width, facts.height)
    composer = Composer(layout)
    found = find_truth(path)
    truths = {} if found is None else join(read_labels(found), source.refs()).truths
    starts = np.linspace(0, (facts.frames or 2) - 2, count).astype(int).tolist()
    numbers = [number for start in starts for number in (start, start + 1)]
    drive = drive_number(facts.sha256)
    canvases = [
        composer.compose(source.frame_at(number).image, make_code(drive, number, (10_000 + 33 * number) * 1_000_000))
        for number in numbers
    ]
    source.close()
    corner = np.array([[0.0, 0.0, facts.width, facts.height]])
    return Drive(layout, canvases, numbers, [truths[n].boxes if n in truths else corner for n in numbers])


def measured(drive: Drive, view: View) -> list[str]:
    """Measure one condition; give the cells of its row."""
    camera, finder = ScreenCamera(drive.layout, view), ScreenFinder(drive.layout)
    found = read = wrong = refused = mixtures = 0
    errors: list[NDArray[np.float64]] = []
    times: list[float] = []
    for place in range(0, len(drive.canvases), 2):
        before, after = drive.canvases[place : place + 2]
        picture = camera.film(after)
        began = time.perf_counter()
        glimpse = look_at(picture, drive.layout, finder)
        if isinstance(glimpse, Glimpse):
            rectify(picture, drive.layout, glimpse.pose)
            times.append(1e3 * (time.perf_counter() - began))
            found += 1
            if glimpse.code is not None:
                read += 1
                wrong += glimpse.code.number != drive.numbers[place + 1]
            boxes = drive.boxes[place + 1]
            true = camera.place(on_screen(box_corners(boxes), drive.layout))
            errors.append(corner_errors_px(boxes, drive.layout, glimpse.pose, true))
        for seam in seams(camera, drive.layout, view, place):
            mixtures += 1
            mixed = look_at(camera.film(after, before, seam), drive.layout, finder)
            refused += isinstance(mixed, str) or mixed.code is None
    count = len(drive.canvases) // 2
    corner = np.concatenate(errors) if errors else np.array([np.nan])
    middle, far = np.nanpercentile(corner, (50, 95)) if errors else (np.nan, np.nan)
    return [
        f"{100 * found / count:.0f} %",
        f"{100 * read / count:.0f} %",
        str(wrong),
        f"{middle:.2f} / {far:.2f}" if errors else "–",
        f"{100 * refused / mixtures:.0f} %",
        f"{np.median(times):.0f}" if times else "–",
    ]


def seams(camera: ScreenCamera, layout: ScreenLayout, view: View, place: int) -> list[Seam]:
    """Give two seams that cross the recorded picture: a sharp one and a broad one."""
    left, top, width, height = layout.picture
    rows = camera.place(
        np.array([[left, top], [left + width, top], [left, top + height], [left + width, top + height]])
    )
    first, last = rows[:2, 1].min() / view.height, rows[2:, 1].max() / view.height  # corners of a turned screen too
    share = 0.02 + 0.96 * ((place // 2 * 0.382) % 1)  # golden steps: every height comes
    return [Seam(first + share * (last - first), 0.004), Seam(first + share * (last - first), 0.3)]


def filmed_and_direct(drive: Path, model: Path, seconds: float, fps: float) -> list[list[str]]:
    """Replay a drive from the screen and the same frames directly; give a row for each."""
    with tempfile.TemporaryDirectory() as name:
        filmed = RunPlan(
            source=Path(f"camera:screen:rehearsal:{drive}#fps={fps:g}"),
            baseline=model,
            out=Path(name),
            settings=load_settings(),
            truth=find_truth(drive),
            provider="cpu",
            duration_s=seconds,
        )
        head, frames = replayed("through screen and camera", filmed)
        direct = replace(filmed, source=drive, duration_s=None, frames=(min(frames), max(frames)))
        row, again = replayed("directly", direct)
        if frames != again:
            row[0] += f" ({len(again - frames)} frames more)"
        return [head, row]


def replayed(what: str, plan: RunPlan) -> tuple[list[str], set[int]]:
    """Run a plan; give its row and the frames of the drive that it judged."""
    run = Run(prepare(plan), Watchers(lambda _progress: None, lambda _frame, _moment: None))
    run.execute()
    reader = RunReader(run.folder)
    try:
        frames = {moment.ref.truth_seq for moment in reader.moments()}
        figures = reader.figures()[Role.BASELINE]
        codes = f"{100 * reader.ledger.evaluated / reader.ledger.captured:.1f} %"
        aps = [f"{figures[name]:.3f}" for name in ("map_50_95", "map_50")]  # type: ignore[index]
        return [what, str(len(frames)), codes, *aps], frames
    finally:
        reader.close()


def line(cells: list[str]) -> str:
    """Put cells under each other."""
    return "  ".join(f"{cell:>14}" if place else f"{cell:28}" for place, cell in enumerate(cells))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--drive", type=Path, default=shipped("assets/demo/day.mp4"))
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--fps", type=float, default=6.0)
    wanted = parser.parse_args()
    if wanted.seconds is not None:
        model = shipped("assets/demo/baseline.onnx")
        table = filmed_and_direct(wanted.drive, model, wanted.seconds, wanted.fps)
        print("\n".join(line(cells) for cells in [["replay", "frames", "codes read", "AP", "AP50"], *table]))
        return
    drive = read_drive(wanted.drive, wanted.pictures)
    head = ["condition", "found", "read", "wrong", "corner px", "mixed refused", "ms"]
    rows = []
    for name, view in VIEWS.items():
        rows.append([name, *measured(drive, view)])
        if not wanted.markdown:
            print(
                "  ".join(f"{cell:>14}" if place else f"{cell:28}" for place, cell in enumerate(rows[-1])), flush=True
            )
    if wanted.markdown:
        print("\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]))
    else:
        print(line(head))


if __name__ == "__main__":
    main()
