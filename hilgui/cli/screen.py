"""`hilgui screen`: show a drive on a screen that a camera films, and check how well the camera sees it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.numerals import number_of

if TYPE_CHECKING:
    from hilgui.sources.screen import ScreenLayout, Watched

screen_app = typer.Typer(help="Screen in the loop: show a drive to a camera.", rich_markup_mode=None)


@screen_app.command("show")
def screen_show(
    drive: Annotated[Path, typer.Argument(metavar="DRIVE", help="Video or folder of images.")],
    screen: Annotated[
        int | None, typer.Option("--screen", min=0, help="Number of the screen, from 0; default: the second one.")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", min=0.01, max=10, help="1 is as recorded.")] = 1.0,
    fps: Annotated[float | None, typer.Option("--fps", min=0.1, help="Frame rate of a folder of images.")] = None,
    lead_s: Annotated[float, typer.Option("--lead", min=0, help="Seconds that the first frame stands.")] = 3.0,
    first: Annotated[
        int, typer.Option("--from", min=0, help="Begin at this frame: go on with a drive that was ended.")
    ] = 0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end, until Esc is pressed.")] = False,
    window: Annotated[bool, typer.Option("--window", help="In a window and not full screen, to try it.")] = False,
) -> None:
    """Show DRIVE full screen with markers, frame code and grey patches; Esc ends it."""
    from hilgui.cli.console import notes
    from hilgui.gui.screen_window import show_drive

    said = show_drive(
        drive, screen=screen, speed=speed, fps=fps, lead_s=lead_s, first=first, is_endless=loop, in_window=window
    )
    notes.print(said, markup=False)


@screen_app.command("check")
def screen_check(
    address: Annotated[str, typer.Argument(metavar="CAMERA", help="camera:screen:uvc:0#drive=day.mp4 and the like.")],
    pictures: Annotated[int, typer.Option("--pictures", min=1, max=100_000, help="How many to look at.")] = 60,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Write the last picture here (PNG), with the labels of the drive.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
    ] = False,
) -> None:
    """Say how well a camera sees the screen: found, read, levels, blur, delay. Exit code 1 if nothing is read."""
    from hilgui.cli.console import print_json
    from hilgui.errors import CallWrong
    from hilgui.sources.camera import PREFIX, make_camera, read_address, shown_drive
    from hilgui.sources.screen.watching import watch

    path = Path(address)
    if not address.startswith(f"{PREFIX}screen:"):
        raise CallWrong(f"{address} films no screen; write camera:screen:uvc:0#drive=day.mp4")
    name, wish = read_address(path)
    camera: Any = make_camera(name)
    watched = watch(camera, wish, pictures)
    drive = shown_drive(path)
    carried = None if drive is None or camera.layout is None else _carried(drive, camera.layout, watched)
    if picture is not None:
        _draw(watched, carried, picture)
    if as_json:
        print_json({**watched.as_json(), "frame": watched.number, "carried": carried})
    else:
        _print(watched, None if carried is None else len(carried))
    if not watched.read:
        raise typer.Exit(1)


def _carried(drive: Path, layout: ScreenLayout, watched: Watched) -> list[dict[str, Any]] | None:
    """Carry the labels of the last frame that was read into the camera picture; None without labels."""
    from hilgui.sources import source_for
    from hilgui.sources.screen import carry_boxes
    from hilgui.truth import find_truth, join, read_labels

    found = find_truth(drive)
    if found is None or watched.glimpse is None:
        return None
    source = source_for(drive)
    try:
        source.open()
        labels = read_labels(found)
        truth = join(labels, source.refs()).truths.get(watched.number)
    finally:
        source.close()
    if truth is None:
        return []
    carried = carry_boxes(truth.boxes, layout, watched.glimpse.pose)
    names = [labels.names[number] for number in truth.classes.tolist()]
    return [
        {"class": name, "corners_px": quad.round(2).tolist(), "box_px": box.round(2).tolist()}
        for name, quad, box in zip(names, carried.quads, carried.boxes, strict=True)
    ]


def _draw(watched: Watched, carried: list[dict[str, Any]] | None, path: Path) -> None:
    import cv2
    import numpy as np

    from hilgui.errors import CallWrong
    from hilgui.sources.screen import map_to_pixels

    if watched.picture is None:
        raise CallWrong(f"no picture was read, so {path} is not written; see the reasons")
    canvas = watched.picture.copy()
    for each in carried or ():
        outline = map_to_pixels(np.array(each["corners_px"]))
        cv2.polylines(canvas, [outline], True, (60, 220, 60), 1, cv2.LINE_AA)
    encoded, data = cv2.imencode(".png", canvas)
    if not encoded:
        raise CallWrong(f"{path} cannot be written as PNG")
    try:
        path.write_bytes(data.tobytes())
    except OSError as failure:
        raise CallWrong(f"{path} cannot be written: {failure.strerror}") from failure


def _print(watched: Watched, carried: int | None) -> None:
    from rich.table import Table

    from hilgui.cli.console import results
    from hilgui.sources.screen import LEVELS

    results.print(
        f"screen found in {watched.found} of {watched.pictures} pictures, frame code read in {watched.read}; "
        f"{number_of(watched.missed, 'frame')} of the drive never seen whole",
        markup=False,
    )
    for why, count in sorted(watched.reasons.items()):
        results.print(f"  {count} {why}", markup=False)
    if not watched.levels:
        return
    table = Table("shown", *(str(level) for level in LEVELS), box=None)
    table.add_row("seen", *(f"{value:.0f}" for value in watched.levels))
    results.print(table)
    gain = (watched.levels[-1] - watched.levels[0]) / (LEVELS[-1] - LEVELS[0])
    results.print(
        f"contrast {100 * gain:.0f} %, blur {watched.blur_px:.2f} px of the recorded frame, "
        f"lens {100 * watched.lens:.1f} % at the corner, markers fit to {watched.residual_px:.2f} px of the camera",
        markup=False,
    )
    if watched.to_camera_ms == watched.to_camera_ms:
        results.print(f"from the screen to the camera {watched.to_camera_ms:.0f} ms (median)", markup=False)
    if carried is not None:
        results.print(f"{number_of(carried, 'label')} of frame {watched.number} carried into the picture", markup=False)
