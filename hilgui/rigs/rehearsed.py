"""Arming a bench of simulators without a person. A crowded machine is refused now and then, and rightly: try again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from hilgui.errors import SupervisorLost
from hilgui.rigs.arming import Arming, State
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.protocol import Actuation

PATIENCE_S = 30.0
TRIES = 10
_ASK_AGAIN_S = 0.5
_POLL_S = 0.01  # far below the 500 ms after which a front end counts as frozen


def switch_on(client: SupervisorClient, by: str, wanted: Sequence[Actuation]) -> None:
    """Arm and carry out all that is wanted, from the start where something was refused. Raises SupervisorLost."""
    for _ in range(TRIES):
        arm_simulated(client, by)
        if all(client.answer(client.command(what), PATIENCE_S).is_ok for what in wanted):
            return
    why = client.arming.reason
    raise SupervisorLost(f"the simulated rig was not on in {TRIES} tries: {why}; is this machine overloaded?")


def arm_simulated(client: SupervisorClient, by: str) -> None:
    """Select or reset, wait for the read-back, confirm twice. Raises SupervisorLost."""
    client.wait_ready(PATIENCE_S)
    for _ in range(TRIES):
        if _is_armed(client, by):
            return
    why = client.arming.refusal or client.arming.reason
    raise SupervisorLost(f"the simulated rig was not armed in {TRIES} tries: {why}; is this machine overloaded?")


def _is_armed(client: SupervisorClient, by: str) -> bool:
    before = client.arming
    if before.state is State.ARMED:
        return True
    if before.state is State.LATCHED:
        _reset(client, by)
    elif before.state is State.SAFE and before.refusal:  # start afresh, so that a new refusal is not taken for this one
        client.deselect(by)
        _until(client, lambda now: now.state is not State.SAFE)
    if client.arming.state is State.SHADOW:
        client.select(by)
        _until(client, lambda now: now.state is not State.SHADOW)
    _until(client, lambda now: now.is_verified or now.state is State.LATCHED)
    client.arm(by, needs_engine=False)
    _until(client, lambda now: now.state is not State.SAFE or bool(now.refusal))
    if client.arming.state is not State.ARMING:
        return False
    client.confirm(by)
    return _until(client, lambda now: now.state is not State.ARMING).state is State.ARMED


def _reset(client: SupervisorClient, by: str) -> None:
    """Ask again until it is granted: a device that was lost is connected anew after a second."""
    latched_ns, asked_s = client.arming.since_ns, -math.inf

    def is_reset(now: Arming) -> bool:
        nonlocal asked_s
        if now.since_ns == latched_ns and time.monotonic() - asked_s > _ASK_AGAIN_S:
            asked_s = time.monotonic()
            client.reset(by)
        return now.since_ns != latched_ns

    _until(client, is_reset)


def _until(client: SupervisorClient, holds: Callable[[Arming], bool]) -> Arming:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        client.poll()
        if holds(client.arming):
            return client.arming
        if time.monotonic() > deadline:
            state = client.arming.state.value
            raise SupervisorLost(f"the simulated rig is still {state} after {PATIENCE_S:g} s: {client.arming.reason}")
        time.sleep(_POLL_S)
