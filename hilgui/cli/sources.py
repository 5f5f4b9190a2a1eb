"""The commands that look at recordings without running anything."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from hilgui.numerals import number_of

sources_app = typer.Typer(help="Look into recordings: cameras, frames, stamps.", rich_markup_mode=None)

_Path = Annotated[Path, typer.Argument(metavar="RECORDING", help="Video, folder of images or bag.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
_Topic = Annotated[str | None, typer.Option("--topic", help="Camera topic of a bag that holds several.")]
_Fps = Annotated[float | None, typer.Option("--fps", help="Frame rate of a folder of images.")]


@sources_app.command("list")
def list_topics(path: _Path, as_json: _Json = False) -> None:
    """List the topics of a bag and say which are cameras; any other recording is one camera."""
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.sources.bag_source import BagSource, camera_topics, open_bag

    if BagSource.recognises(path):
        with contextlib.closing(open_bag(path)) as bag:
            cameras = {topic.name for topic in camera_topics(bag)}
            rows = [
                {"topic": each.name, "type": each.type, "messages": each.messages, "camera": each.name in cameras}
                for each in bag.topics.values()
            ]
    else:
        facts = _facts(path, None, None)[0]
        rows = [{"topic": facts["name"], "type": facts["kind"], "messages": facts["frames"], "camera": True}]
    if as_json:
        print_json(rows)
        return
    table = Table("topic", "type", "messages", "camera", box=None)
    for row in rows:
        table.add_row(str(row["topic"]), str(row["type"]), str(row["messages"]), "yes" if row["camera"] else "")
    results.print(table)


@sources_app.command("show")
def show(
    path: _Path,
    topic: _Topic = None,
    fps: _Fps = None,
    frames: Annotated[int, typer.Option("--frames", min=0, help="How many stamps to list.")] = 5,
    as_json: _Json = False,
) -> None:
    """Show what one recording is: frames, size, rate, stamps, intrinsics and what was noticed."""
    from hilgui.cli.console import print_json, results

    facts, stamps = _facts(path, topic, fps)
    if as_json:
        print_json({**facts, "stamps": stamps[:frames]})
        return
    rate = f"{facts['fps']:.3f} frames a second" if facts["fps"] else "no rate"
    told = f"{facts['name']}: {facts['kind']}, {number_of(facts['frames'], 'frame')}, {_size(facts, stamps)}, {rate}"
    results.print(told, markup=False)
    results.print(f"sha256 {facts['sha256']}", markup=False)
    if facts["camera"]:
        results.print(f"camera {facts['camera']}", markup=False)
    for note in facts["notes"]:
        results.print(f"note: {note}", markup=False)
    for stamp in stamps[:frames]:
        seconds = "–" if stamp["time_s"] is None else f"{stamp['time_s']:.6f} s"
        results.print(f"  {stamp['seq']:>8}  {seconds:>16}  {stamp['stamp']}  {stamp['key']}", markup=False)


def _size(facts: dict[str, Any], stamps: list[dict[str, Any]]) -> str:
    """Say how large the pictures are, and which of a folder have no header that can be read."""
    sizes = {(row["width"], row["height"]) for row in stamps if row["width"]}
    unknown = [row["key"] for row in stamps if not row["width"]]
    if facts["width"]:
        return f"{facts['width']} × {facts['height']}"
    if not sizes:
        return "sizes not told by the headers"
    width, height = min(sizes)
    said = f"{width} × {height}" if len(sizes) == 1 else f"{len(sizes)} sizes"
    return said if not unknown else f"{said}, no size in the header of {len(unknown)} (first {unknown[0]})"


def _facts(path: Path, topic: str | None, fps: float | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from dataclasses import asdict

    from hilgui.sources import source_for

    source = source_for(path, fps, topic)
    try:
        facts = asdict(source.open())
        stamps = [
            {
                "seq": ref.seq,
                "key": ref.key,
                "time_s": None if math.isnan(ref.time_s) else ref.time_s,
                "stamp": ref.stamp.isoformat(),
                "width": ref.width,
                "height": ref.height,
            }
            for ref in source.refs()
        ]
    finally:
        source.close()
    return facts, stamps
