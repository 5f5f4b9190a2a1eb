"""Finds the files that are shipped with hilgui: in a checkout, in a wheel, in a frozen bundle."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Give the path of `assets/...` or `testcases/...`; raises FileNotFoundError naming what is missing."""
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is not part of this installation of hilgui; install it again")


def checkout() -> Path | None:
    """Give the folder of the git checkout that hilgui runs from, or None when it is installed."""
    root = _PACKAGE.parent
    return root if (root / ".git").exists() else None
