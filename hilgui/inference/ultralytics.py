"""What exports of Ultralytics say about themselves in the metadata: task and class names. Text, never run."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 1 << 18
_MOST_NAMES = 10_000
_ENTRY = re.compile(r"""\s*(\d{1,5})\s*:\s*(?:'((?:[^'\\]|\\.){1,200})'|"((?:[^"\\]|\\.){1,200})")\s*(,|$)""")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Export:
    """What one export says; `names` is empty where it names no classes or not all of them."""

    task: str  # detect, segment, classify, pose, obb
    names: tuple[str, ...]


def export(metadata: dict[str, str]) -> Export | None:
    """Read the metadata; None where the file is no export of Ultralytics."""
    if "names" not in metadata or not {"stride", "task"} & metadata.keys():
        return None
    return Export(metadata.get("task", "detect"), names(metadata["names"]))


def names(text: str) -> tuple[str, ...]:
    """Read "{0: 'person', 1: 'bicycle'}"; anything else, or a number left out or given twice, gives none."""
    text = text.strip()
    if len(text) > _LONGEST or not (text.startswith("{") and text.endswith("}")):
        return ()
    text, place = text[1:-1].rstrip(), 0
    found: dict[int, str] = {}
    while place < len(text):
        entry = _ENTRY.match(text, place)
        if entry is None or len(found) == _MOST_NAMES:
            return ()
        number, name = int(entry[1]), _ESCAPED.sub(r"\1", entry[2] or entry[3])
        if number in found:
            return ()
        found[number] = name
        place = entry.end()
    if sorted(found) != list(range(len(found))):
        return ()
    return tuple(found[number] for number in range(len(found)))
