"""`hilgui explain`: why a model misses an object or shows a phantom, and what would have saved it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.explanations import Explanation


def explain(
    run: Annotated[str, typer.Argument(metavar="RUN", help='Run folder, its id or the beginning of it, or "last".')],
    finding: Annotated[int, typer.Argument(min=1, help="Number of a finding: a missed object or a phantom.")],
    model_role: Annotated[
        str | None, typer.Option(help="baseline or candidate; default: the model that the finding is about.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="drise, occlusion, lookalikes, rescue; several with commas; or all.")
    ] = "all",
    masks: Annotated[int, typer.Option(help="Random masks of D-RISE.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    among: Annotated[
        list[str] | None, typer.Option(help="Another run whose found objects may look alike; again for more.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for document and pictures; default: beside the run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Explain one finding: score against threshold, saliency, occlusion, look-alikes, the smallest change that helps.

    The pictures and the document are kept beside the run; the Findings page shows them.
    """
    from hilgui.cli.console import Ticker, print_json
    from hilgui.explanations import METHODS, Wish
    from hilgui.explanations import explain as work
    from hilgui.records import Role
    from hilgui.settings import load_settings
    from hilgui.store import find_run

    if model_role is not None and model_role not in list(Role):
        raise CallWrong(f"there is no model {model_role!r}; there are {', '.join(Role)}")
    settings = load_settings()
    named = tuple(name.strip() for name in method.split(",") if name.strip())
    wish = Wish(
        run=find_run(run, settings.runs),
        finding=finding,
        role=None if model_role is None else Role(model_role),
        methods=METHODS if named == ("all",) else named,
        masks=masks,
        seed=seed,
        among=tuple(find_run(other, settings.runs) for other in among or ()),
        provider=settings.provider,
    )
    with Ticker("explain") as ticker:
        folder, made = work(wish, settings.home, ticker.count("pictures"), out)
    if as_json:
        import json

        from hilgui.explanations.document import to_json

        print_json({**json.loads(to_json(made)), "folder": str(folder)})
    else:
        _print(folder, made)


def _print(folder: Path, made: Explanation) -> None:
    from rich.table import Table

    from hilgui.cli.console import notes, results

    for note in made.notes:
        notes.print(note, markup=False)
    results.print(
        f"{made.kind.value} {made.finding}, {made.label} at frame {made.seq}, {made.role.value}", markup=False
    )
    for sentence in made.sentences:
        results.print(f"  {sentence}", markup=False)
    if made.alikes is not None and made.alikes.nearest:
        table = Table("found alike", "score", "this one is", box=None)
        for one in made.alikes.nearest:
            where = f"#{one.seq}" if one.time_s is None else f"#{one.seq} ({one.time_s:.2f} s)"
            where += " the same object" if one.is_same else ""
            where += "" if one.run_id == made.run_id else f" of {one.run_id}"
            table.add_row(where, f"{one.score:.2f}", ", ".join(one.differs) or "not noticeably different")
        results.print(table)
    if made.rescue is not None and made.rescue.tries:
        table = Table("change", "smallest that helps", "of tried", "score", "holds to", "lost", "phantoms", box=None)
        for each in made.rescue.tries:
            if each.severity is None:
                table.add_row(each.name, "none", "", f"{each.score:.2f}", "", "", "")
                continue
            table.add_row(
                each.name, each.words, f"{each.severity:.0%}", f"{each.score:.2f}", f"{each.holds_to:.0%}",
                str(each.lost), f"+{each.gained}",
            )  # fmt: skip
        results.print(table)
    results.print(f"  pictures: {folder}", markup=False)
