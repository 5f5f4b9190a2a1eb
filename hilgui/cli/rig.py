"""`hilgui rig`: what is at the ports, whether a profile is right, where the rig stands, and by hand what it may do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hilgui.rigs.client import SupervisorClient

rig_app = typer.Typer(help="Rigs: ports, profiles, arming states, self-test.", rich_markup_mode=None)
profile_app = typer.Typer(help="Rig profiles.", rich_markup_mode=None)
rig_app.add_typer(profile_app, name="profile")

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
]
ProfilePath = Annotated[Path, typer.Argument(metavar="PROFILE", help="Rig profile, a YAML file.")]


@rig_app.command("list")
def rig_list(as_json: Json = False) -> None:
    """List the serial ports of this machine and the drivers that are installed."""
    from dataclasses import asdict

    from rich.markup import escape
    from rich.table import Table

    from hilgui import plugins
    from hilgui.cli.console import notes, print_json, results
    from hilgui.rigs.finding import found_ports
    from hilgui.rigs.protocol import DRIVERS, SIMULATORS

    ports, drivers, simulators = found_ports(), plugins.load(DRIVERS), plugins.working(SIMULATORS)
    if as_json:
        listed = [
            {"name": name, "reason": driver.reason, "simulated": name in simulators} for name, driver in drivers.items()
        ]
        print_json({"ports": [asdict(port) for port in ports], "drivers": listed})
        return
    if ports:
        table = Table("port", "what", "USB id", "serial number", box=None)
        for port in ports:
            table.add_row(*(escape(text or "") for text in (port.address, port.name, port.vid_pid, port.usb_serial)))
        results.print(table)
    else:
        notes.print("no serial port at this machine")
    for name, driver in drivers.items():
        state = driver.reason and f"does not load: {driver.reason}"
        results.print(f"driver {name}: {state or ('with simulator' if name in simulators else 'ready')}", markup=False)


@profile_app.command("check")
def profile_check(profile: ProfilePath, as_json: Json = False) -> None:
    """Read a profile, with its drivers' facts; say what may be armed. Opens nothing."""
    from hilgui.cli.console import notes, print_json, results
    from hilgui.rigs.bench import facts_of, unarmable
    from hilgui.rigs.profile import read_profile

    read = read_profile(profile)
    facts = facts_of(read)
    said = unarmable(read, facts)
    if as_json:
        devices = {
            name: {
                "dead_man": each.dead_man.kind.value,
                "dead_man_ms": each.dead_man.timeout_ms,
                "hazardous": each.is_hazardous,
                "stops": {str(int(category)): how for category, how in each.stops.items()},
                "channels": {
                    channel.name: {
                        "unit": channel.unit,
                        "low": channel.low,
                        "high": channel.high,
                        "writable": channel.is_writable,
                        "hazardous": channel.is_hazardous,
                        "safe": channel.safe,
                    }
                    for channel in each.channels
                },
            }
            for name, each in facts.items()
        }
        print_json({"name": read.name, "devices": devices, "unarmable": list(said)})
        return
    cuts = {wish.name: f"{wish.cut_by.device}.{wish.cut_by.channel}" for wish in read.devices if wish.cut_by}
    for name, each in facts.items():
        says = f" ({each.dead_man.says})" if each.dead_man.says else ""
        results.print(
            f"{name}: dead-man {each.dead_man.kind.value} {each.dead_man.timeout_ms:g} ms{says}", markup=False
        )
        if name in cuts:
            results.print(f"  power cut by {cuts[name]}", markup=False)
        for channel in each.channels:
            kind = "set" if channel.is_writable else "read"
            hazard = ", hazardous" if channel.is_hazardous else ""
            limits = f"{channel.low:g} to {channel.high:g} {channel.unit}".rstrip()
            results.print(f"  {channel.name}: {kind}, {limits}{hazard}", markup=False)
        for category, how in sorted(each.stops.items()):
            results.print(f"  stop category {int(category)}: {how}", markup=False)
    for invariant in read.invariants:
        sentence = f"{invariant.id}: {invariant.measure.value}({invariant.signal}) {invariant.limit_text()}"
        results.print(f"{sentence}, else {invariant.severity.value}", markup=False)
    for sentence in said:
        notes.print(f"cannot be armed: {sentence}", markup=False)


@rig_app.command("identify")
def rig_identify(profile: ProfilePath, as_json: Json = False) -> None:
    """Ask every device what it is, in shadow: nothing is written that could move anything."""
    from hilgui.cli.console import print_json, results

    client = _client(profile, shadow=True)
    try:
        client.start()
        client.wait_ready()
        devices = list(client.devices.values())
    finally:
        client.close()
    if as_json:
        print_json(
            {
                each.name: {"port": each.port, "is": str(each.identity or ""), "trouble": each.trouble}
                for each in devices
            }
        )
    else:
        for each in devices:
            results.print(f"{each.name} at {each.port}: {each.identity or each.trouble}", markup=False)
    if any(each.trouble for each in devices):
        raise typer.Exit(4)


@rig_app.command("state")
def rig_state(profile: ProfilePath, as_json: Json = False) -> None:
    """Say what is noted on disk about a rig: its latch and the last of its arming states."""
    import json

    from hilgui.cli.console import print_json, results
    from hilgui.rigs.latch import JOURNAL, RigRecord, latch_names

    client = _client(profile)
    noted = RigRecord(client.folder, latch_names(client.profile)).read()
    journal = client.folder / JOURNAL
    lines = journal.read_text(encoding="utf-8").splitlines()[-10:] if journal.is_file() else []
    history = [json.loads(line) for line in lines]
    reason = noted.latch_reason or (
        "rig state unknown: it was armed when its supervisor ended" if noted.was_live else ""
    )
    if as_json:
        print_json({"latched": bool(reason), "reason": reason, "history": history})
    else:
        results.print(f"LATCHED: {reason}" if reason else "no latch: the next start is SHADOW", markup=False)
        for line in history:
            results.print(f"{line['utc']} {line['from']} → {line['to']} by {line['by']}: {line['why']}", markup=False)
    if reason:
        raise typer.Exit(1)


@rig_app.command("stop")
def rig_stop(profile: ProfilePath) -> None:
    """Put a rig that no program holds into its safe state, read it back, and latch it."""
    from hilgui.cli.console import results
    from hilgui.rigs.arming import State

    with _held(profile) as client:
        if client.arming.state is State.SHADOW:
            client.select(_user())
            client.wait_verified()
        client.stop(_user())
        arming = client.wait_for(State.LATCHED)
        results.print(f"stopped and latched: {arming.reason}", markup=False)


@rig_app.command("reset")
def rig_reset(profile: ProfilePath) -> None:
    """Clear the latch, as a person at a terminal: its cause has to be gone; the rig is SAFE then, never armed."""
    from hilgui.cli.console import results
    from hilgui.errors import CallWrong
    from hilgui.rigs.arming import State

    with _held(profile) as client:
        if client.arming.state is not State.LATCHED:
            raise CallWrong("this rig is not latched")
        results.print(f"latched: {client.arming.reason}", markup=False)
        _ask_person(client, "Is the cause cleared, and nobody in reach of the rig? Type RESET: ", "RESET")
        client.reset(_user())
        client.wait_verified()
        results.print("reset: the rig is safe, outputs are read back as off", markup=False)


@rig_app.command("selftest")
def rig_selftest(
    as_json: Json = False,
    shadow: Annotated[int, typer.Option(min=1000, help="Generated commands in shadow.")] = 10_000,
    stops: Annotated[int, typer.Option(min=10, help="Presses of STOP under load.")] = 50,
    kills: Annotated[int, typer.Option(min=1, help="Kills and freezes of each kind.")] = 3,
    soak_s: Annotated[float, typer.Option(min=1.0, help="Seconds of soak at full load.")] = 10.0,
    document: Annotated[Path | None, typer.Option(help="Write the tables of docs/safety.md here.")] = None,
) -> None:
    """Measure the guarantees of the rig on this machine, against a simulated board: no port is opened."""
    from dataclasses import asdict

    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import notes, print_json, results
    from hilgui.evidence.tool_validation import keep_validation
    from hilgui.rigs.safety_page import write_page
    from hilgui.rigs.selftest import Effort, run
    from hilgui.settings import load_settings

    effort = Effort(shadow, stops, kills, soak_s)
    figures = run(effort, lambda what: notes.print(f"self-test: {what}", markup=False))
    if document is not None:
        command = f"hilgui rig selftest --shadow {shadow} --stops {stops} --kills {kills} --soak-s {soak_s:g}"
        write_page(document, figures, f"{command} --document docs/safety.md")
    told = {"figures": [asdict(figure) for figure in figures], "holds": all(each.holds for each in figures)}
    keep_validation(load_settings().home, "rig-selftest", told, by=_user())
    if as_json:
        print_json(told)
    else:
        table = Table("guarantee", "limit", "measured", "n", "verdict", box=None)
        for each in figures:
            verdict = "holds" if each.holds else "BROKEN"
            table.add_row(*map(escape, (each.guarantee, each.limit, each.measured, str(each.n), verdict)))
        results.print(table)
    if not all(figure.holds for figure in figures):
        raise typer.Exit(1)


@rig_app.command("console")
def rig_console(profile: ProfilePath) -> None:
    """Read and move a rig by hand: `read D.C`, `arm`, `set D.C VALUE`, `do D ACTION`, `stop`, `disarm`, `quit`."""
    from hilgui.cli.console import notes, results
    from hilgui.errors import CallWrong, SupervisorLost
    from hilgui.rigs.arming import State

    _need_terminal()
    with _held(profile) as client:
        notes.print("Type a command; an empty line is STOP. The rig stops when this program ends.", markup=False)
        while True:
            line = _line(client, f"{client.arming.state.value}> ")
            words = line.split()
            if words[:1] == ["quit"]:
                return
            if not words or words[0] == "stop":
                client.stop(_user())
                client.poll()
                continue
            try:
                results.print(_obey(client, words), markup=False)
            except (ValueError, IndexError):
                results.print("commands: read D.C, arm, set D.C VALUE, do D ACTION, stop, disarm, reset, quit")
            except CallWrong as failure:  # a confirmation that was not typed
                results.print(str(failure), markup=False)
            except SupervisorLost as failure:
                if client.arming.state is State.SHADOW or client.is_alive:
                    results.print(str(failure), markup=False)
                    continue
                raise


def _obey(client: SupervisorClient, words: list[str]) -> str:
    from hilgui.rigs.arming import State
    from hilgui.rigs.protocol import Perform, Read, SetValue

    match words:
        case ["read", where]:
            device, channel = where.split(".")
            done = client.answer(client.query(Read(device, channel)))
            return f"{done.reading.value:g} {done.reading.unit}" if done.reading else done.sentence
        case ["set", where, value]:
            device, channel = where.split(".")
            done = client.answer(client.command(SetValue(device, channel, float(value))))
            return "done" if done.is_ok else done.sentence
        case ["do", device, action]:
            done = client.answer(client.command(Perform(device, action)))
            return "taken" if done.is_ok else done.sentence
        case ["arm"]:
            if client.arming.state is State.LATCHED:
                return f"latched: {client.arming.reason}; clear the cause, then type reset"
            if client.arming.state is State.SHADOW:
                client.select(_user())
            client.wait_verified()
            _ask_person(client, "Something may move now. Is everybody out of reach? Type ARM: ", "ARM")
            client.arm(_user(), needs_engine=False)
            client.wait_for(State.ARMING)
            _ask_person(client, "Second confirmation, within 30 s. Type ARM again: ", "ARM")
            client.confirm(_user())
            client.wait_for(State.ARMED)
            return "armed; an empty line is STOP"
        case ["disarm"]:
            client.disarm(_user())
            client.wait_for(State.SAFE)
            return "safe"
        case ["reset"]:
            _ask_person(client, "Is the cause cleared? Type RESET: ", "RESET")
            client.reset(_user())
            client.wait_verified()
            return "safe"
    raise ValueError(words)


def _client(profile: Path, *, shadow: bool = False) -> SupervisorClient:
    from hilgui.rigs.client import SupervisorClient
    from hilgui.settings import load_settings

    return SupervisorClient(profile, load_settings().home, shadow=shadow)


@contextmanager
def _held(profile: Path) -> Iterator[SupervisorClient]:
    """Hold a rig that is ready, and let go of it; its arming states go into the journal of the bench as they come."""
    from hilgui.cli.console import notes
    from hilgui.evidence import StatesKeeper
    from hilgui.rigs.client import SupervisorClient
    from hilgui.settings import load_settings

    home = load_settings().home
    keeper = StatesKeeper(home)
    client = SupervisorClient(profile, home, on_state=keeper.note)
    try:
        client.start()
        client.wait_ready()
        yield client
    finally:
        client.close()
        for sentence in keeper.close():
            notes.print(sentence, markup=False)


def _user() -> str:
    import getpass

    return getpass.getuser()


def _need_terminal() -> None:
    import sys

    from hilgui.errors import CallWrong

    if not sys.stdin.isatty():
        raise CallWrong("arming and resetting need a person at a terminal; standard input is none")


def _ask_person(client: SupervisorClient, question: str, word: str) -> None:
    from hilgui.errors import CallWrong

    _need_terminal()
    if _line(client, question).strip() != word:
        raise CallWrong(f"{word} was not typed; nothing was done")


def _line(client: SupervisorClient, prompt: str) -> str:
    """Read a line from the terminal and beat meanwhile; what is shown in between comes from the supervisor."""
    import queue
    import sys
    import threading

    sys.stdout.write(prompt)
    sys.stdout.flush()
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=lambda: typed.put(sys.stdin.readline()), name="keyboard", daemon=True)
    reader.start()
    state: Any = client.arming.state
    while True:
        client.poll()
        if client.arming.state is not state:
            state = client.arming.state
            sys.stdout.write(f"\n[{state.value}: {client.arming.reason}] ")
            sys.stdout.flush()
        try:
            line = typed.get(timeout=0.02)
        except queue.Empty:
            continue
        return line if line else "quit\n"
