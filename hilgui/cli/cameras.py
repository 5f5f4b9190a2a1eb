"""`hilgui cameras`: which cameras are at this machine, and in which modes."""

from __future__ import annotations

from typing import Annotated

import typer

cameras_app = typer.Typer(help="List the cameras at this machine.", rich_markup_mode=None)


@cameras_app.callback()
def cameras() -> None:
    """Keep `list` a command of its own although it is the only one."""


@cameras_app.command("list")
def cameras_list(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
    ] = False,
) -> None:
    """List cameras with their addresses and modes; network cameras are named by their address."""
    from dataclasses import asdict

    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import notes, print_json, results
    from hilgui.sources.camera import found_cameras

    found, complaints = found_cameras()
    if as_json:
        print_json({"cameras": [asdict(each) for each in found], "notes": list(complaints)})
        return
    if found:
        table = Table("address", "name", "modes", box=None)
        for each in found:
            modes = ", ".join(str(mode) for mode in each.modes) or each.note or "not said"
            table.add_row(escape(each.address), escape(each.name), escape(modes))
        results.print(table)
    for complaint in complaints:
        notes.print(complaint, markup=False)
    if not found:
        notes.print("Network cameras need no list: camera:rtsp://host/stream, camera:http://host/video", markup=False)
