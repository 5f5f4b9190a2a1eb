"""The commands and how they fail: one sentence, one exit code. Heavy imports wait until a command runs."""

from __future__ import annotations

import atexit
import multiprocessing
import sys
import traceback
from pathlib import Path
from typing import Annotated, cast

import typer

from hilgui.cli.attack import attack_app
from hilgui.cli.audit import audit
from hilgui.cli.cameras import cameras_app
from hilgui.cli.cases import cases_app, run
from hilgui.cli.comparing import compare, noise, waive
from hilgui.cli.decisions import decisions_app, sign
from hilgui.cli.drift import drift_app
from hilgui.cli.evaluating import evaluate
from hilgui.cli.evidence import evidence_app
from hilgui.cli.explaining import explain
from hilgui.cli.fairness import fairness
from hilgui.cli.findings import findings
from hilgui.cli.gate import decide_command, gate
from hilgui.cli.incidents import incident_app
from hilgui.cli.keys import keys_app
from hilgui.cli.labels import labels_app
from hilgui.cli.registry import models_app
from hilgui.cli.rejudging import corrections, export_dataset, rejudge
from hilgui.cli.reporting import report
from hilgui.cli.retention import archive, pin, prune, unpin
from hilgui.cli.rig import rig_app
from hilgui.cli.robustness import robustness
from hilgui.cli.screen import screen_app
from hilgui.cli.selfcheck import selfcheck
from hilgui.cli.slices import slices
from hilgui.cli.sources import sources_app
from hilgui.cli.triage import triage_app
from hilgui.errors import CallWrong, HilguiError
from hilgui.processes import wait_for_tracker

app = typer.Typer(
    name="hilgui",
    help="Hardware-in-the-loop bench for perception models: replay, shadow mode, corner cases, evidence.",
    epilog="Exit codes: 0 good · 1 the verdict is bad · 2 the call is wrong · 3 inconclusive · 4 the bench is broken · "
    "130 stopped. Without a command the application opens. --debug anywhere shows tracebacks.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
runs_app = typer.Typer(help="List and show the runs that were stored.", rich_markup_mode=None)
app.add_typer(runs_app, name="runs")
app.add_typer(models_app, name="models")
app.add_typer(labels_app, name="labels")
app.add_typer(sources_app, name="sources")
app.add_typer(cameras_app, name="cameras")
app.add_typer(rig_app, name="rig")
app.add_typer(screen_app, name="screen")
app.add_typer(attack_app, name="attack")
app.add_typer(drift_app, name="drift")
app.add_typer(triage_app, name="triage")
app.add_typer(keys_app, name="keys")
app.add_typer(evidence_app, name="evidence")
app.add_typer(decisions_app, name="decisions")
app.add_typer(incident_app, name="incident")
app.add_typer(cases_app, name="cases")
app.command()(run)
app.command()(audit)
app.command()(evaluate)
app.command()(slices)
app.command()(fairness)
app.command()(compare)
app.command()(robustness)
app.command()(noise)
app.command()(selfcheck)
app.command()(waive)

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
]
RunText = Annotated[str, typer.Argument(metavar="RUN", help='Run folder, its id or the beginning of it, or "last".')]


# Typer brings its own click and does not export the root of its errors, which is ClickException.
_CallError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    multiprocessing.freeze_support()
    if arguments is None:  # a process of its own
        atexit.register(wait_for_tracker)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    from hilgui import log

    log.set_up(debug=debug)
    try:
        code = app(arguments, standalone_mode=False, obj={"debug": debug}, prog_name="hilgui")
    except typer.Abort:
        return 130
    except _CallError as failure:
        context = getattr(failure, "ctx", None)
        where = f" (see `{context.command_path} --help`)" if context is not None else ""
        return _complain(f"{failure.format_message()}{where}", 2, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stdout = None  # the reader went away; nothing is left to say to it
        return 0
    except HilguiError as failure:
        if debug:
            traceback.print_exc()
        return _complain(str(failure), failure.exit_code, arguments)
    return code if isinstance(code, int) else 0


def _complain(sentence: str, exit_code: int, arguments: list[str]) -> int:
    """Say why nothing came of a call: on standard error, and as a document where one was promised."""
    if "--json" in arguments:
        from hilgui.cli.console import print_json

        print_json({"verdict": "ERROR", "error": sentence, "exit_code": exit_code})
    print(f"hilgui: {sentence}", file=sys.stderr)  # noqa: T201
    return exit_code


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Open the application when no command is given."""
    if version:
        from hilgui import __version__

        typer.echo(f"hilgui {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        from hilgui.gui.app import run_application
        from hilgui.settings import load_settings

        raise typer.Exit(run_application(None, load_settings()))


@app.command("open")
def open_run(run: RunText = "last") -> None:
    """Open the application on a stored run."""
    from hilgui.gui.app import run_application
    from hilgui.settings import load_settings
    from hilgui.store import find_run

    settings = load_settings()
    raise typer.Exit(run_application(find_run(run, settings.runs), settings))


@app.command()
def replay(
    context: typer.Context,
    drives: Annotated[
        list[Path] | None, typer.Argument(metavar="DRIVE...", help="Videos, image folders, bags, camera:KIND:NAME.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", "-b", help="The model in use today (ONNX).")] = None,
    candidate: Annotated[Path | None, typer.Option("--candidate", "-c", help="The model that may replace it.")] = None,
    truth: Annotated[
        str | None,
        typer.Option(help='Label file or folder; default: the labels beside the drive; "none": no truth.'),
    ] = None,
    list_file: Annotated[Path | None, typer.Option("--list", help="File with one drive a line.")] = None,
    provider: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, tensorrt, openvino, directml or coreml.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="model (what the file says), fp32, fp16, bf16 or int8.")] = None,
    cuda_graph: Annotated[
        bool | None, typer.Option("--cuda-graph", help="CUDA: record a picture's launches and replay them.")
    ] = None,
    classes: Annotated[str, typer.Option(help="Compare only these classes, separated by commas.")] = "",
    class_map: Annotated[str | None, typer.Option(help="Shipped class map (kitti_to_coco) or a YAML file.")] = None,
    speed: Annotated[str, typer.Option(help="max, realtime or a factor such as 0.5.")] = "max",
    fps: Annotated[float | None, typer.Option(min=0.01, help="Frame rate of a folder of images.")] = None,
    topic: Annotated[
        str | None, typer.Option(help='Camera topic of a bag; several with commas, or "all": side by side.')
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option("--beside", help="Another camera of the same drive, FILE or FILE@SECONDS later; again for more."),
    ] = None,
    profile: Annotated[Path | None, typer.Option(help="Camera profile; default: the one beside the drive.")] = None,
    can: Annotated[list[Path] | None, typer.Option("--can", help="Bus log (BLF, ASC, MF4); again for more.")] = None,
    dbc: Annotated[list[Path] | None, typer.Option("--dbc", help="DBC that decodes the bus logs.")] = None,
    signals: Annotated[
        list[str] | None, typer.Option("--signal", help="Signal of the bus to keep beside the speed.")
    ] = None,
    can_offset: Annotated[float | None, typer.Option(help="Recording time (s) of a bus log's first frame.")] = None,
    duration: Annotated[float | None, typer.Option(min=0.1, help="Seconds after which a live run ends.")] = None,
    corrupt: Annotated[
        list[str] | None, typer.Option("--corrupt", help="Corrupt the drive: fog:3, rain:1.5+freeze:2; again for more.")
    ] = None,
    corrupt_seed: Annotated[int, typer.Option(min=0, help="Seed of the corruptions.")] = 0,
    depth: Annotated[
        Path | None, typer.Option(help="Of depth_fog: 16-bit PNG (metres · 256), or a folder of one for each frame.")
    ] = None,
    noise: Annotated[
        str | None, typer.Option(help="Run whose noise was measured: smaller differences are no findings.")
    ] = None,
    drift_reference: Annotated[
        Path | None, typer.Option(help="Compare pictures and outputs with this drift reference while they come.")
    ] = None,
    metrics: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of this machine where Prometheus may ask: GET /metrics.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Keep what a camera saw, as a drive.")] = False,
    record_mb: Annotated[int, typer.Option(min=1, help="The recording ends before it is larger.")] = 8000,
    out: Annotated[Path | None, typer.Option(help="Folder that will hold the run folders.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Frames under way at once; default: chosen by the source.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads in a model; default: chosen by the source.")
    ] = None,
    spinning: Annotated[
        bool | None, typer.Option("--spinning", help="Threads wait busily: quicker, no core left.")
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Who runs this.")] = None,
    bench: Annotated[str | None, typer.Option(help="On which bench.")] = None,
    dut: Annotated[str | None, typer.Option("--dut", help="Device under test.")] = None,
    notes: Annotated[str, typer.Option(help="Anything worth remembering.")] = "",
    ticket: Annotated[list[str] | None, typer.Option(help="Ticket or requirement id; may be given again.")] = None,
    as_json: Json = False,
) -> None:
    """Replay drives through a baseline and, in shadow, a candidate; judge, store, find corner cases."""
    from hilgui.cli.replaying import ReplayCall, replay_drives
    from hilgui.settings import load_settings

    settings = load_settings(
        provider=provider,
        precision=precision,
        cuda_graph=cuda_graph,
        workers=workers,
        threads=threads,
        spinning=spinning,
        operator=operator,
        bench=bench,
        device_under_test=dut,
        noise=noise,
        metrics_port=metrics,
        drift_reference=None if drift_reference is None else str(drift_reference.resolve()),
    )
    call = ReplayCall(
        drives=tuple(drives or ()),
        list_file=list_file,
        baseline=baseline,
        candidate=candidate,
        truth=truth,
        classes=tuple(name.strip() for name in classes.split(",") if name.strip()),
        class_map=class_map,
        speed=speed,
        fps=fps,
        topic=topic,
        beside=tuple(beside or ()),
        profile=profile,
        can=tuple(can or ()),
        dbc=tuple(dbc or ()),
        signals=tuple(signals or ()),
        can_offset_s=can_offset,
        duration_s=duration,
        corrupt=tuple(corrupt or ()),
        corrupt_seed=corrupt_seed,
        corrupt_depth=depth,
        record=record,
        record_mb=record_mb,
        out=out,
        notes=notes,
        tickets=tuple(ticket or ()),
        as_json=as_json,
        debug=context.obj["debug"],
    )
    raise typer.Exit(replay_drives(call, settings))


@app.command()
def demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="Write report and screenshots, open no window.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder that will hold the run folders.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Render more drives and decide about the candidate.")] = False,
    drives: Annotated[int, typer.Option(min=2, max=200, help="With --gate: drives to render.")] = 20,
    candidate: Annotated[str, typer.Option(help="With --gate: candidate, or retrained (on all conditions).")] = (
        "candidate"
    ),
) -> None:
    """Replay the shipped drives through both shipped models and show where the candidate loses."""
    from hilgui.settings import load_settings

    debug = context.obj["debug"]
    if gate:
        from hilgui.cli.demo_gate import run_demo_gate

        settings = load_settings()
        raise typer.Exit(run_demo_gate(settings, drives=drives, candidate=candidate, out=out, debug=debug))
    from hilgui.cli.demo import run_demo

    raise typer.Exit(run_demo(load_settings(), headless=headless, out=out, debug=context.obj["debug"]))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what this machine has, what is missing and how to get it."""
    from hilgui.cli.showing import show_doctor

    raise typer.Exit(show_doctor(as_json=as_json))


@runs_app.command("list")
def runs_list(
    folder: Annotated[Path | None, typer.Option("--in", help="Folder with runs; default: your runs.")] = None,
    as_json: Json = False,
) -> None:
    """List the stored runs, newest first."""
    from hilgui.cli.showing import show_runs
    from hilgui.settings import load_settings

    if folder is not None and not folder.is_dir():
        raise CallWrong(f"there is no folder {folder}; check the path")
    raise typer.Exit(show_runs(folder or load_settings().runs, as_json=as_json))


@runs_app.command("show")
def runs_show(run: RunText, as_json: Json = False) -> None:
    """Show one run: verdict, ledger, models, findings."""
    from hilgui.cli.showing import show_run
    from hilgui.settings import load_settings

    raise typer.Exit(show_run(run, load_settings().runs, as_json=as_json))


@runs_app.command("relink")
def runs_relink(
    run: RunText,
    roots: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Where to look for the recording.")],
) -> None:
    """Find the recording of a run that was moved, by its content, and remember where it is."""
    from hilgui.cli.showing import relink_run
    from hilgui.settings import load_settings

    raise typer.Exit(relink_run(run, load_settings().runs, roots))


for retaining in (pin, unpin, archive, prune):
    runs_app.command()(retaining)
app.command()(findings)
app.command()(explain)
app.command()(gate)
app.command("decide")(decide_command)
app.command()(sign)
app.command()(rejudge)
app.command()(report)
app.command("export-dataset")(export_dataset)
labels_app.command()(corrections)


@app.command()
def export(
    run: RunText,
    form: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="Form of the export; docs/exports.md says which is for what, a wrong name lists all."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="File or folder to write; default: inside the run folder.")] = None,
) -> None:
    """Write a run in another form."""
    from hilgui.cli.showing import write_export
    from hilgui.settings import load_settings

    raise typer.Exit(write_export(run, load_settings(), form, out))
