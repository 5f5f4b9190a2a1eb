"""The registry of models: content-addressed, with aliases per slot, lineage and rollback."""

from hilgui.models.entry import Entry, Lineage, Placed
from hilgui.models.follower import Follower
from hilgui.models.golden import Golden, Replay, clip_sha256
from hilgui.models.registry import Alias, Move, Registry

__all__ = ["Alias", "Entry", "Follower", "Golden", "Lineage", "Move", "Placed", "Registry", "Replay", "clip_sha256"]
