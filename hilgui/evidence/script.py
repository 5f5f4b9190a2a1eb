"""The script inside a bundle: the three modules that check one, in one file that needs nothing of hilgui."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from hilgui.errors import EvidenceBroken

_PARTS = ("chain", "stored_zip", "verify")
_FUTURE = "from __future__ import annotations\n"


@cache
def verify_script() -> bytes:
    """Give the text of `verify.py`; raises EvidenceBroken where this installation lacks its own sources."""
    folder = Path(__file__).parent
    try:
        sources = [(folder / f"{part}.py").read_text(encoding="utf-8") for part in _PARTS]
    except OSError as failure:
        raise EvidenceBroken(f"this installation lacks the source of its verifier: {failure}; install it again") from (
            failure
        )
    head, tail = _split(sources[-1])
    bodies = [_split(source)[1] for source in sources[:-1]]
    return f"{head}\n{_FUTURE}{''.join(bodies)}{tail}".encode()


def _split(source: str) -> tuple[str, str]:
    """Give the docstring with what stands before it, and the rest without imports of hilgui and of the future."""
    lines = source.splitlines(keepends=True)
    tree = ast.parse(source)
    end = tree.body[0].end_lineno or 0
    gone: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("hilgui", "__future__"):
            gone.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    rest = "".join(line for number, line in enumerate(lines, 1) if number > end and number not in gone)
    return "".join(lines[:end]), rest
