"""`hilgui audit`: a curated suite of ways to fool a model, with findings that are tested again after a fix."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hilgui.attacks.audit.finding import Audit


def audit(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Detector or classifier, an ONNX file.")],
    images: Annotated[
        Path | None, typer.Option(help="Recording or folder whose pictures are used; default: the demo's day.")
    ] = None,
    suite: Annotated[str, typer.Option(help='"full", classes such as A,C,E, or ids of probes.')] = "full",
    count: Annotated[int, typer.Option(min=2, help="Pictures, evenly spread.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of this model's audits; default: one below the data folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Try sensing, semantics, patches, pixels, malformed input and timing.

    Exit code 1 while a finding of high severity is open, 3 where one cannot be ruled out, else 0.
    The folder keeps findings, pictures and reproducers; the next call says what is new, still open, or closed.
    """
    from hilgui.attacks.audit.asked import AskedAudit
    from hilgui.cli.console import Ticker, print_json
    from hilgui.settings import load_settings

    asked = AskedAudit(model, load_settings(), images, suite, count, seed, out, tuple(sys.argv))
    with Ticker("audit") as ticker:
        audited = asked.run(ticker.count("probes"))
    made, report = audited.made, audited.report
    if as_json:
        print_json({**made.as_json(), "report": str(report)})
    else:
        _print(made, report)
    raise typer.Exit(made.exit_code)


def _print(made: Audit, report: Path) -> None:
    from rich.table import Table

    from hilgui.attacks.audit.finding import Status
    from hilgui.cli.console import results

    table = Table("probe", "severity", "status", "works", "interval", "limit", "what", box=None)
    for one in made.findings:
        rate = "–" if one.rate is None else f"{one.rate:.0%}"
        interval = "–" if one.interval is None else f"{one.interval.low:.0%}-{one.interval.high:.0%}"
        status = one.status.value.upper() if one.is_standing else one.status.value
        what = "; ".join(word for word in (one.title if one.trials else one.words, one.retest) if word)
        table.add_row(one.id, one.severity.value, status, rate, interval, f"{one.limit:.0%}", what)
    results.print(table)
    counts = {status: sum(one.status is status for one in made.findings) for status in Status}
    told = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
    results.print(f"{told}; report: {report}", markup=False)
