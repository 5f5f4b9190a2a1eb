"""Asks for passphrases: from a file on an unattended bench, from the system's keyring, else from the person."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.evidence import KeyRing, Signer

VARIABLE = "HILGUI_PASSPHRASE_FILE"


def passphrase(question: str, *, twice: bool = False) -> str:
    """Read a passphrase, never from the arguments; raises CallWrong where nobody can be asked."""
    import getpass

    named = os.environ.get(VARIABLE)
    if named:
        try:
            return Path(named).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as failure:
            raise CallWrong(f"{VARIABLE} names {named}, which cannot be read: {failure}") from failure
    if not sys.stdin.isatty():
        raise CallWrong(f"a passphrase is needed and nobody can type one; {VARIABLE} may name a file that holds it")
    typed = getpass.getpass(question)
    if twice and getpass.getpass("Again: ") != typed:
        raise CallWrong("the two passphrases differ; nothing was done")
    return typed


def unlock(ring: KeyRing, name: str) -> Signer:
    """Open a private key."""
    from hilgui.evidence import from_system_keyring

    if not ring.needs_passphrase(name):
        return ring.unlock(name, "")
    kept = None if os.environ.get(VARIABLE) else from_system_keyring(name)
    return ring.unlock(name, passphrase(f"Passphrase of {name}: ") if kept is None else kept)
