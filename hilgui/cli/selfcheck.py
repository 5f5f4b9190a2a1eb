"""`hilgui selfcheck`: whether the bench is fit for work today."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
]

_CODES = {"fit": 0, "unfit": 1, "unknown": 3}


def selfcheck(
    rig: Annotated[Path | None, typer.Option(help="Rig profile: its devices are asked, nothing is moved.")] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make today's answer the reference, after showing it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Replay a golden clip, ask the devices (default: all simulators), and compare with the reference."""
    from dataclasses import asdict

    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import notes, print_json, results
    from hilgui.cli.recording import who
    from hilgui.errors import HilguiError
    from hilgui.evidence.tool_validation import keep_validation
    from hilgui.pipeline.selfcheck import (
        cannot_be_asked,
        compare,
        measure,
        read_reference,
        remember,
        utc_now,
        write_reference,
    )
    from hilgui.settings import load_settings

    home = load_settings().home
    name = "" if rig is None else str(rig)
    try:
        reference = None if renew and not _is_readable(home, name) else read_reference(home, name)
        found = measure(rig, home, lambda what: notes.print(f"self-check: {what}", markup=False))
    except HilguiError as failure:
        if rig is None or rig.exists():  # a path that was mistyped says nothing of the bench
            remember(home, cannot_be_asked(failure, name, utc_now()))
        raise
    check = compare(reference, found, name, utc_now())
    if not as_json:
        table = Table("what", "verdict", "", box=None)
        for look in check.looks:
            table.add_row(escape(look.what), look.verdict, escape(look.sentence))
        results.print(table)
    if renew:
        troubles = [device.device for device in found.devices if device.trouble]
        if troubles:
            notes.print(f"not renewed: {', '.join(troubles)} did not answer", markup=False)
        else:
            path = write_reference(home, name, found)
            notes.print(f"reference renewed: {path}", markup=False)
            check = compare(found, found, name, utc_now())
    remember(home, check)
    told = {"holds": check.verdict == "fit", **asdict(check)}
    keep_validation(home, "selfcheck", told, by=who(load_settings()))
    if as_json:
        print_json(asdict(check))
    else:
        words = {
            "fit": "fit for work",
            "unfit": "NOT fit for work",
            "unknown": "not known: there is no reference for all",
        }
        results.print(f"This bench is {words[check.verdict]}; the runs of the next 24 hours carry this.")
    raise typer.Exit(_CODES[check.verdict])


def _is_readable(home: Path, rig: str) -> bool:
    from hilgui.errors import StoreBroken
    from hilgui.pipeline.selfcheck import read_reference

    try:
        read_reference(home, rig)
    except StoreBroken:
        return False
    return True
