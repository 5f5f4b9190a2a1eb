"""`hilgui run` and `hilgui cases`: test cases from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hilgui.numerals import number_of

cases_app = typer.Typer(help="Test cases: check, list and make them.", rich_markup_mode=None)

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
]
Places = Annotated[list[Path] | None, typer.Argument(metavar="CASES...", help="Case files, or folders of them.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only cases with this tag; again for more.")]


def run(
    cases: Places = None,
    tag: Tags = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results for a CI server.")] = None,
    operator: Annotated[str | None, typer.Option(help="Who runs this; asked where a case asks.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Answer yes to harmless questions; never to hazardous ones.")
    ] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Run again what failed the last time.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the queue that was interrupted.")] = False,
    until_fail: Annotated[
        int, typer.Option("--until-fail", min=0, help="Run again and again, at most so often, until one fails.")
    ] = 0,
    metrics: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of this machine where Prometheus may ask: GET /metrics.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run test cases; a rig moves only where a case says so and somebody confirms twice."""
    from hilgui.cli.case_running import RunCall, run_cases
    from hilgui.settings import load_settings

    settings = load_settings(operator=operator, metrics_port=metrics)
    call = RunCall(tuple(cases or ()), tuple(tag or ()), junit, yes, failed, resume, until_fail, as_json)
    raise typer.Exit(run_cases(call, settings))


@cases_app.command("validate")
def validate(cases: Places = None, as_json: Json = False) -> None:
    """Say every mistake of case files with its line; exit code 4 where there is one."""
    from hilgui.cli.console import notes, print_json, results
    from hilgui.documents import Flaw
    from hilgui.sequencer.loading import check_case, find_case_files

    flaws: list[dict[str, Any]] = []
    files = find_case_files(cases or [_shipped()])
    count = 0
    for path in files:
        try:
            read = check_case(path.read_text(encoding="utf-8-sig"), path)
        except (OSError, UnicodeDecodeError) as failure:
            read = [Flaw(1, "", f"cannot be read: {failure}")]
        for each in read:
            if isinstance(each, Flaw):
                flaws.append({"path": str(path), "line": each.line, "key": each.key, "sentence": each.sentence})
            else:
                count += 1
    if as_json:
        print_json({"files": len(files), "cases": count, "flaws": flaws})
    else:
        for flaw in flaws:
            key = f"{flaw['key']}: " if flaw["key"] else ""
            notes.print(f"{flaw['path']}:{flaw['line']}: {key}{flaw['sentence']}", markup=False)
        results.print(
            f"{number_of(len(files), 'file')}, {number_of(count, 'case')}, {number_of(len(flaws), 'mistake')}",
            markup=False,
        )
    raise typer.Exit(4 if flaws else 0)


@cases_app.command("list")
def list_cases(cases: Places = None, tag: Tags = None, as_json: Json = False) -> None:
    """List cases with what they need, what of it is missing, and how they ended last."""
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.sequencer.loading import load_cases
    from hilgui.sequencer.suite import listing
    from hilgui.settings import load_settings

    rows = listing(load_cases(cases or [_shipped()], tag or (), everything=True), load_settings().home)
    if as_json:
        print_json({"cases": rows})
        return
    table = Table("suite", "case", "mode", "needs", "last", "tags", box=None)
    for row in rows:
        needs = "; ".join(row["missing"] or row["needs"])
        words = (row["suite"], row["id"], row["mode"], needs, row["last"] or "–", " ".join(row["tags"]))
        table.add_row(*map(escape, words))
    results.print(table)


@cases_app.command("trend")
def trend(case: Annotated[str, typer.Argument(metavar="CASE", help="Id of a case.")], as_json: Json = False) -> None:
    """Show each criterion of a case over its past runs, oldest first."""
    from hilgui.cli.console import print_json, results
    from hilgui.errors import CallWrong
    from hilgui.sequencer.results import ResultShelf
    from hilgui.settings import load_settings

    lines = ResultShelf(load_settings().home).trend(case)
    if not lines:
        raise CallWrong(f"there is no result of a case {case}; `hilgui cases list` names them")
    if as_json:
        plain = {
            title: [{"started": started, "value": value, "verdict": outcome.value} for started, value, outcome in line]
            for title, line in lines.items()
        }
        print_json({"case": case, "criteria": plain})
        return
    for title, line in lines.items():
        results.print(title, markup=False)
        for started, value, outcome in line:
            results.print(f"  {started}  {'–' if value is None else f'{value:.4g}'}  {outcome.value}", markup=False)


@cases_app.command("new")
def new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, NAME.case.yaml.")],
    source: Annotated[Path, typer.Option(help="The recording, or a camera: camera:uvc:0.")],
    baseline: Annotated[
        Path, typer.Option("--baseline", "-b", help="The model (ONNX), or its name in the registry: NAME@champion.")
    ],
) -> None:
    """Write a first case: a recording through a model, nothing may be lost."""
    import json
    import os

    from hilgui.cli.console import notes, results
    from hilgui.errors import CallWrong
    from hilgui.sequencer.loading import SUFFIX, read_case
    from hilgui.sources.camera import camera_beside, is_camera

    if not path.name.endswith(SUFFIX):
        raise CallWrong(f"a case is called NAME{SUFFIX}, not {path.name}")
    if path.exists():
        raise CallWrong(f"{path} is there already; choose another name")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise CallWrong(f"there is no folder {folder}; make it first")
    told = [os.path.relpath(each.resolve(), folder) for each in (source, baseline)]
    if is_camera(source):
        told[0] = str(camera_beside(source, Path.cwd()))
    elif not source.exists():
        notes.print(f"there is no {source} yet: the case cannot run until it is there", markup=False)
    if "@" in baseline.name and not baseline.exists():
        told[1] = str(baseline)  # an alias of the registry
    elif not baseline.exists():
        notes.print(f"there is no {baseline} yet: the case cannot run until it is there", markup=False)
    texts = [json.dumps(each, ensure_ascii=False) for each in told]
    more = ", duration_s: 10" if is_camera(source) else ""
    name = json.dumps(path.name.removesuffix(SUFFIX).replace("_", " ").capitalize(), ensure_ascii=False)
    path.write_text(_NEW.format(name=name, source=texts[0], baseline=texts[1], more=more), encoding="utf-8")
    read_case(path)
    results.print(f"{path}: run it with `hilgui run {path}`; docs/test-cases.md lists every key", markup=False)


@cases_app.command("schema")
def schema() -> None:
    """Print the JSON Schema of cases, for editors."""
    import sys

    from hilgui.sequencer.loading import schema_text

    sys.stdout.write(schema_text())


def _shipped() -> Path:
    from hilgui.resources import shipped

    return shipped("testcases")


_NEW = """\
schema: hilgui/case.v1
name: {name}
description: What this case shows, and for whom.
tags: []
source: {{path: {source}{more}}}
models: {{baseline: {baseline}}}
steps:
  - replay:
criteria:
  - {{metric: lost_frames, limit: "== 0"}}
  # with labels beside the recording:
  # - {{metric: recall, limit: ">= 0.5", slice: {{class: person}}, distance_m: [0, 30]}}
"""
