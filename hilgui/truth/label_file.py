"""Label files as bytes, text, JSON and YAML: bounded in size, hashed, with the place of the first mistake."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hilgui.errors import TruthBroken

MAX_BYTES = 512 * 2**20
MAX_FILES = 200_000
MAX_FRAMES = 500_000  # of one drive: more than four hours at 30 Hz

_MAX_FILE_BYTES = 2**20  # of one text file a frame
_MAX_YAML_BYTES = 2**18
_MAX_BRACKETS = 200  # ruamel.yaml takes quadratic time over nested ones
_MAX_NUMBER = 1e12


def broken(path: Path, what: str, line: int | None = None) -> TruthBroken:
    """Make the error for one line of a label file."""
    place = f"{path}, line {line}" if line is not None else f"{path}"
    return TruthBroken(f"{place}: {what}; mend the line or leave the file out", path=path, line=line)


def number(path: Path, line: int, word: str, what: str) -> float:
    """Take a finite decimal number; raises TruthBroken."""
    try:
        value = float(word) if len(word) <= 64 and "_" not in word else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise broken(path, f"{what} is {word[:40]!r}, which is not a finite number", line)
    if abs(value) > _MAX_NUMBER:
        raise broken(path, f"{what} is {value:g}, which is too large", line)
    return value


def whole(path: Path, line: int, word: str, what: str) -> int:
    """Take a whole number, also one that is written as 3.0; raises TruthBroken."""
    value = number(path, line, word, what)
    if value != int(value):
        raise broken(path, f"{what} is {word[:40]}, which is not a whole number", line)
    return int(value)


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank with their numbers, from 1."""
    for position, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield position, line


def text_files(folder: Path, suffix: str) -> list[Path]:
    """List the files with that suffix directly in a folder, sorted; raises TruthBroken."""
    try:
        files = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() == suffix and entry.is_file())
    except OSError as failure:
        raise TruthBroken(f"labels {folder} cannot be read: {failure.strerror or failure}", path=folder) from failure
    if len(files) > MAX_FILES:
        raise TruthBroken(f"{folder} holds more than {MAX_FILES} files; split it by drive", path=folder)
    return files


class FolderHash:
    """The sha256 of a set of files: of their names and contents, in the order in which they are read."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()

    def read(self, file: Path, *, limit: int = _MAX_FILE_BYTES) -> str:
        """Give the text of one file and count it in; raises TruthBroken."""
        text, sha256 = read_text(file, limit=limit)
        self.add(file.name, sha256)
        return text

    def add(self, name: str, sha256: str) -> None:
        """Count in a file that somebody else read."""
        self._whole.update(f"{name}\0{sha256}\n".encode())

    def value(self) -> str:
        """Give the sum."""
        return self._whole.hexdigest()


def read_text(path: Path, *, limit: int = MAX_BYTES) -> tuple[str, str]:
    """Give the text of a UTF-8 file and the sha256 of its bytes; raises TruthBroken."""
    try:
        if not path.is_file():
            raise TruthBroken(f"{path} is not a file; give the label file itself", path=path)
        with path.open("rb") as file:
            size = path.stat().st_size
            content = b"" if size > limit else file.read(size + 1)  # read(n) reserves n bytes at once
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


def read_yaml(path: Path) -> Any:
    """Give the document of a small YAML file; raises TruthBroken."""
    text, _ = read_text(path, limit=_MAX_YAML_BYTES)
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise TruthBroken(f"{path} nests too deeply; is it the right file?", path=path)
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as failure:
        line = failure.problem_mark.line + 1 if failure.problem_mark else 1
        raise broken(path, f"{failure.problem}", line) from failure
    except RecursionError as failure:
        raise TruthBroken(f"{path} nests too deeply; is it the right file?", path=path) from failure
    except (YAMLError, ValueError, KeyError, TypeError, AttributeError) as failure:
        reason = (str(failure).splitlines() or [type(failure).__name__])[0]
        raise TruthBroken(f"{path} is not YAML: {reason}", path=path) from failure


def peek(path: Path, count: int = 2**20) -> bytes:
    """Give the first bytes of a regular file, nothing for anything else; does not raise."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(min(count, path.stat().st_size))
    except OSError:
        return b""


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number that labels can hold")
