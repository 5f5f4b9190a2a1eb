"""The catalogue of plug-ins: built-ins and strangers come through the same door."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

log = logging.getLogger(__name__)

GROUPS = (
    "hilgui.frame_sources",
    "hilgui.cameras",
    "hilgui.rig_drivers",
    "hilgui.rig_simulators",
    "hilgui.truth_readers",
    "hilgui.model_adapters",
    "hilgui.corner_cases",
    "hilgui.exporters",
)


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point; `reason` says why it did not load."""

    group: str
    name: str
    target: Any | None
    origin: str  # distribution that announces it
    reason: str = ""


@cache
def load(group: str) -> dict[str, Plugin]:
    """Load every plug-in of a group; one that fails to import is listed with its reason."""
    return {entry.name: _load(entry) for entry in sorted(entry_points(group=group), key=lambda entry: entry.name)}


def working(group: str) -> dict[str, Any]:
    """Give the plug-ins of a group that loaded, by name."""
    return {name: plugin.target for name, plugin in load(group).items() if plugin.target is not None}


def _load(entry: EntryPoint) -> Plugin:
    origin = entry.dist.name if entry.dist else "unknown"
    try:
        return Plugin(entry.group, entry.name, entry.load(), origin)
    except Exception as failure:  # a plug-in call: a stranger's code may raise anything
        log.warning("plug-in %s of %s does not load", entry.name, origin, exc_info=True)
        return Plugin(entry.group, entry.name, None, origin, f"{type(failure).__name__}: {failure}")
