"""Reads the profile that onnxruntime writes: which provider took which node, and for how long."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.errors import ModelBroken

_LARGEST = 256 << 20  # bytes; a network of 500 nodes writes 0.2 MB a run
_ENDING = "_kernel_time"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the nodes of one run took. Times are those of the calling thread: on a GPU, of handing the work over."""

    operators: dict[str, dict[str, int]]  # provider → operator → nodes
    times_us: dict[str, dict[str, float]]  # provider → operator → time

    @property
    def nodes(self) -> dict[str, int]:
        """Count the nodes of each provider."""
        return {provider: sum(kinds.values()) for provider, kinds in self.operators.items()}

    @property
    def share(self) -> dict[str, float]:
        """Give each provider's share of the time, 0..1."""
        total = sum(sum(kinds.values()) for kinds in self.times_us.values())
        return {
            provider: sum(kinds.values()) / total if total else count / max(sum(self.nodes.values()), 1)
            for (provider, kinds), count in zip(self.times_us.items(), self.nodes.values(), strict=True)
        }

    def slowest(self, provider: str, most: int = 4) -> list[str]:
        """Name the operators on a provider that take most of the time."""
        return [name for name, _ in Counter(self.times_us.get(provider, {})).most_common(most)]


def read_profile(path: Path) -> Profile:
    """Read a profile and delete it; raises ModelBroken where it is none."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelBroken(f"the profile of one run, {path}, is larger than {_LARGEST >> 20} MB", path=path)
        events = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError) as failure:
        raise ModelBroken(
            f"the profile that onnxruntime wrote, {path}, cannot be read: {failure}", path=path
        ) from failure
    finally:
        path.unlink(missing_ok=True)
    return nodes_of(events)


def nodes_of(events: list[dict[str, Any]]) -> Profile:
    """Sum up the events of a profile; of a node that ran several times the last one counts, the first is warming up."""
    last: dict[tuple[str, str], tuple[str, float]] = {}
    for event in events:
        told = event.get("args") or {}
        provider, name = told.get("provider"), str(event.get("name", ""))
        if event.get("cat") != "Node" or not provider or not name.endswith(_ENDING):
            continue
        key = (str(told.get("node_index", "")), name)
        last[key] = (f"{provider}\n{told.get('op_name', '?')}", float(event.get("dur", 0)))
    operators: dict[str, dict[str, int]] = {}
    times: dict[str, dict[str, float]] = {}
    for where, took in last.values():
        provider, _, operator = where.partition("\n")
        counted, timed = operators.setdefault(provider, {}), times.setdefault(provider, {})
        counted[operator] = counted.get(operator, 0) + 1
        timed[operator] = timed.get(operator, 0.0) + took
    return Profile(operators, times)
