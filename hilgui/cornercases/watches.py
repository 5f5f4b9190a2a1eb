"""Watches: one watch for each camera of a drive, whose findings are counted together."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from hilgui.cornercases.protocol import RunContext
from hilgui.cornercases.suspects import ImageOf, no_image
from hilgui.cornercases.watch import Looked, Watch
from hilgui.records import Finding, Moment


class Watches:
    """Asks the watch of the camera that a frame comes from: tracks and streaks belong to one camera."""

    def __init__(self, contexts: Mapping[str, RunContext]) -> None:
        """Take the context of each camera by its channel, "" for a drive of one."""
        self._watches = {channel: Watch(context) for channel, context in contexts.items()}
        self._numbers = itertools.count(1)  # of findings, over all cameras

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Give the corner cases that cannot work in this run, with the reason."""
        return next(iter(self._watches.values())).left_out

    @property
    def broken(self) -> tuple[tuple[str, str], ...]:
        """Give the corner cases that were switched off, with the reason."""
        return tuple({name: why for watch in self._watches.values() for name, why in watch.broken}.items())

    def look(self, moment: Moment, images: ImageOf = no_image) -> Looked:
        """Look at the next evaluated frame (see `Watch.look`)."""
        looked = self._watches[moment.ref.channel].look(moment, images)
        return Looked(looked.hits, self._named(moment.ref.channel, looked.closed))

    def finish(self) -> list[Finding]:
        """Close what is still open; call once, after the last frame."""
        return [finding for channel, watch in self._watches.items() for finding in self._named(channel, watch.finish())]

    def _named(self, channel: str, findings: list[Finding]) -> list[Finding]:
        """Number findings over all cameras and say of which they are."""
        if not channel:
            return findings
        return [replace(each, channel=channel, number=next(self._numbers)) for each in findings]
