"""Waits until every device has read its outputs back as off."""

from __future__ import annotations

from collections.abc import Iterable


class ReadBack:
    """One wait at a time: a new one takes the place of the one before, whose answers then count for nothing."""

    def __init__(self) -> None:
        self._token = 0
        self._left: set[str] = set()
        self._why: list[str] = []

    def begin(self, devices: Iterable[str]) -> int:
        """Wait for these; gives the token that their answers carry."""
        self._token += 1
        self._left, self._why = set(devices), []
        return self._token

    def answered(self, device: str, token: int, why: str) -> bool:
        """Take the answer of a device, `why` it is not off or ""; says whether it was the last one."""
        if token != self._token or device not in self._left:
            return False
        self._left.discard(device)
        if why:
            self._why.append(why)
        return not self._left

    @property
    def why(self) -> str:
        """Give why the outputs are not off; empty where they are."""
        return "; ".join(self._why)
