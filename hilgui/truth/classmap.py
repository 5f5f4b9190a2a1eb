"""Class maps: what the labels call a thing, and what it is compared as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hilgui.errors import CallWrong
from hilgui.resources import shipped

SCHEMA_VERSION = 1
_MAX_BYTES = 2**18
_MAX_BRACKETS = 200  # a class map needs none; ruamel.yaml takes quadratic time over nested ones
_FOLDER = "assets/classmaps"
_KEYS = ("schema_version", "classes")


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Label name → compared name; a label name that is missing is not compared."""

    name: str
    classes: dict[str, str]


def load_class_map(name: str) -> ClassMap:
    """Load a shipped map by its name, or a YAML file by its path; raises CallWrong naming file and line.

    The file has two keys: `schema_version: 1` and `classes`, a mapping of names. Unknown and repeated keys and label
    names that differ in case only are refused.
    """
    path = _path(name)
    try:
        content = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except OSError as failure:
        raise CallWrong(f"class map {path} cannot be read: {failure.strerror or failure}") from failure
    if content is None:
        raise CallWrong(f"class map {path} is larger than 256 KiB; is it the right file?")
    return ClassMap(path.stem, _classes(path, _document(path, content)))


def shipped_maps() -> tuple[str, ...]:
    """Name the maps that come with hilgui."""
    return tuple(sorted(path.stem for path in shipped(_FOLDER).glob("*.yaml")))


def _path(name: str) -> Path:
    if name in shipped_maps():
        return shipped(f"{_FOLDER}/{name}.yaml")
    path = Path(name)
    if not path.is_file():
        raise CallWrong(f"there is no class map {name}; give a YAML file or one of: {', '.join(shipped_maps())}")
    return path


def _document(path: Path, content: bytes) -> CommentedMap:
    if content.count(b"[") + content.count(b"{") > _MAX_BRACKETS:
        raise CallWrong(f"class map {path} nests too deeply; is it the right file?")
    try:
        text = content.decode("utf-8-sig")
        document = YAML(typ="rt").load(text)
    except UnicodeDecodeError as failure:
        raise CallWrong(f"class map {path} is not UTF-8 text; save it as UTF-8") from failure
    except MarkedYAMLError as failure:
        line = failure.problem_mark.line + 1 if failure.problem_mark else 1
        raise CallWrong(f"class map {path}, line {line}: {failure.problem}") from failure
    except (YAMLError, ValueError) as failure:
        raise CallWrong(f"class map {path} is not YAML: {str(failure).splitlines()[0]}") from failure
    except RecursionError as failure:
        raise CallWrong(f"class map {path} nests too deeply; is it the right file?") from failure
    if not isinstance(document, CommentedMap):
        raise CallWrong(f"class map {path} must have the keys {' and '.join(_KEYS)}")
    return document


def _classes(path: Path, document: CommentedMap) -> dict[str, str]:
    for key in document:
        if key not in _KEYS:
            raise _wrong(path, document, key, f"unknown key; the keys are {' and '.join(_KEYS)}")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise CallWrong(f"class map {path} must say schema_version: {SCHEMA_VERSION}")
    rows = document.get("classes")
    if not isinstance(rows, CommentedMap) or not rows:
        raise CallWrong(f"class map {path} must have classes: with one line `label name: compared name` each")
    classes: dict[str, str] = {}
    for label, target in rows.items():
        if not isinstance(label, str) or not isinstance(target, str) or not target.strip():
            raise _wrong(path, rows, label, "not a pair of names; quote numbers")
        if label.strip().casefold() in (known.casefold() for known in classes):
            raise _wrong(path, rows, label, f"{label!s:.80} is mapped twice; names do not differ by case")
        classes[label.strip()] = target.strip()
    return classes


def _wrong(path: Path, rows: CommentedMap, key: Any, what: str) -> CallWrong:
    return CallWrong(f"class map {path}, line {rows.lc.key(key)[0] + 1}: {what}")
