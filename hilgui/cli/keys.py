"""`hilgui keys`: the keys of people. Passphrases are asked for, never given in the call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

keys_app = typer.Typer(help="Keys of people, by which they sign decisions.", rich_markup_mode=None)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a key, or the beginning of its id.")]


@keys_app.command("new")
def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the person, in small letters.")],
    keyring: Annotated[bool, typer.Option("--keyring", help="Keep the passphrase in the system's keyring.")] = False,
    as_json: _Json = False,
) -> None:
    """Make a key; its passphrase is asked for, or read from the file that HILGUI_PASSPHRASE_FILE names."""
    from hilgui.cli.passphrase import passphrase
    from hilgui.evidence import EventKind, Journal, into_system_keyring

    typed = passphrase(f"New passphrase of {name}: ", twice=True)
    ring = _ring()
    ring.refuse(name, typed)
    if keyring:  # first, so that no key is left whose passphrase nobody kept
        into_system_keyring(name, typed)
    key = ring.new(name, typed)
    Journal(_home()).append(EventKind.KEY, {"action": "new", "name": key.name, "keyid": key.keyid}, by=key.name)
    _print(key.as_json(), as_json=as_json)


@keys_app.command("list")
def list_keys(as_json: _Json = False) -> None:
    """List own and trusted keys."""
    from rich.table import Table

    from hilgui.cli.console import print_json, results

    keys = _ring().all()
    if as_json:
        print_json({"keys": [{**key.as_json(), "own": key.is_own} for key in keys]})
        return
    table = Table("name", "key id", "", box=None)
    for key in keys:
        table.add_row(key.name, key.keyid, "own" if key.is_own else "trusted")
    results.print(table)


@keys_app.command("show")
def show_key(name: _Name, as_json: _Json = False) -> None:
    """Show the public half of a key."""
    _print(_ring().find(name).as_json(), as_json=as_json)


@keys_app.command("export")
def export_key(
    name: _Name, out: Annotated[Path | None, typer.Option(help="File to write; default: NAME.pub.json here.")] = None
) -> None:
    """Write the public half to a file, for others to trust."""
    import json

    from hilgui.cli.console import results
    from hilgui.durable import write_whole
    from hilgui.errors import CallWrong

    key = _ring().find(name)
    place = out or Path(f"{key.name}.pub.json")
    try:
        write_whole(place, (json.dumps(key.as_json(), indent=1) + "\n").encode())
        place.chmod(0o644)
    except OSError as failure:
        raise CallWrong(f"{place} cannot be written: {failure.strerror or failure}; choose another --out") from failure
    results.print(f"{place}: key id {key.keyid}", markup=False)


@keys_app.command("trust")
def trust_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `hilgui keys export` wrote elsewhere.")],
    keyid: Annotated[str, typer.Option("--id", help="Beginning of its id, as its owner told you (16 letters).")],
) -> None:
    """Trust the key of somebody else, whose id you were told another way than with the file."""
    from hilgui.cli.console import results
    from hilgui.errors import CallWrong
    from hilgui.evidence import EventKind, Journal, read_key

    found = read_key(file)
    if len(keyid) < 16 or not found.keyid.startswith(keyid.lower()):
        raise CallWrong(
            f"{file} holds the key {found.keyid[:16]}…, not {keyid}; ask its owner for 16 letters of its id"
        )
    key = _ring().trust(file)
    facts = {"action": "trust", "name": key.name, "keyid": key.keyid}
    Journal(_home()).append(EventKind.KEY, facts, by=_who())
    results.print(f"{key.name} {key.keyid} is trusted", markup=False)


def _print(plain: dict[str, Any], *, as_json: bool) -> None:
    from hilgui.cli.console import print_json, results

    if as_json:
        print_json(plain)
    else:
        results.print(f"{plain['name']}  key id {plain['keyid']}", markup=False)


def _ring() -> Any:
    from hilgui.evidence import KeyRing

    return KeyRing(_home())


def _home() -> Path:
    from hilgui.settings import load_settings

    return load_settings().home


def _who() -> str:
    from hilgui.cli.recording import who
    from hilgui.settings import load_settings

    return who(load_settings())
