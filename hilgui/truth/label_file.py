"""Label files as bytes, text and JSON: bounded in size, hashed, with the place of the first mistake."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NoReturn

from hilgui.errors import TruthBroken

MAX_BYTES = 512 * 2**20


def read_text(path: Path, *, limit: int = MAX_BYTES) -> tuple[str, str]:
    """Give the text of a UTF-8 file and the sha256 of its bytes; raises TruthBroken."""
    try:
        if not path.is_file():
            raise TruthBroken(f"{path} is not a file; give the label file itself", path=path)
        with path.open("rb") as file:
            size = path.stat().st_size
            content = b"" if size > limit else file.read(limit + 1)
    except OSError as failure:
        raise TruthBroken(f"labels {path} cannot be read: {failure.strerror or failure}", path=path) from failure
    if max(size, len(content)) > limit:
        raise TruthBroken(
            f"labels {path} are larger than {limit // 2**20} MiB; split them by drive and try again", path=path
        )
    try:
        return content.decode("utf-8-sig"), hashlib.sha256(content).hexdigest()
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        raise TruthBroken(f"{path}, line {line}: not UTF-8 text; save it as UTF-8", path=path, line=line) from failure


def read_json(path: Path) -> tuple[Any, str]:
    """Give the JSON document of a file and the sha256 of its bytes; NaN and Infinity are refused."""
    text, sha256 = read_text(path)
    if not text.strip():
        raise TruthBroken(f"{path} is empty; export the labels again", path=path)
    try:
        return json.loads(text, parse_constant=_refuse), sha256
    except json.JSONDecodeError as failure:
        raise TruthBroken(
            f"{path}, line {failure.lineno}, column {failure.colno}: {failure.msg}; is a comma or bracket missing?",
            path=path,
            line=failure.lineno,
        ) from failure
    except RecursionError as failure:
        raise TruthBroken(f"{path} nests lists deeper than any label format; is it the right file?", path=path) from (
            failure
        )
    except ValueError as failure:
        raise TruthBroken(f"{path}: {failure}; export the labels again", path=path) from failure


def peek(path: Path, count: int = 2**20) -> bytes:
    """Give the first bytes of a regular file, nothing for anything else; does not raise."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number that labels can hold")
