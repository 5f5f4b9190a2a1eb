"""What a runtime uses to follow an alias of the registry."""

from __future__ import annotations

from pathlib import Path

from hilgui.models.registry import Alias, Registry


class Follower:
    """What a runtime uses to follow an alias: says when another model is named."""

    def __init__(self, registry: Registry, slot: str, alias: Alias = Alias.CHAMPION) -> None:
        self._registry, self._slot, self._alias = registry, slot, alias
        self._serial = -1

    def poll(self) -> Path | None:
        """Give the file of the model where the alias has moved since the last call, else None; reads one small file.

        Raises RegistryBroken where the model is not what was imported: the runtime keeps the one it has.
        """
        placed = self._registry.placed(self._slot, self._alias)
        if placed is None or placed.serial == self._serial:
            return None
        path = self._registry.shelf.path(self._registry.shelf.entry(placed.sha256))
        self._serial = placed.serial
        return path
