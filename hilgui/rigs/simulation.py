"""Simulated devices in a process of their own: a front end that freezes or dies must not take its devices along."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from hilgui import plugins
from hilgui.errors import ProfileBroken, RigLost
from hilgui.processes import unheard_interrupts
from hilgui.rigs.profile import RigProfile, spec_of
from hilgui.rigs.protocol import SIMULATORS, DeviceSpec, RigSimulator
from hilgui.rigs.urgency import ask_for_urgency

_ANSWER_S = 20.0
_LINGER_S = 2.0  # after the owner's death: the devices' dead-men have to be able to act, and be seen


class Simulation:
    """Owns the process; one thread at a time asks."""

    def __init__(self, devices: Sequence[DeviceSpec], linger_s: float = _LINGER_S) -> None:
        """Start the simulators; raises ProfileBroken where a driver has none, RigLost where one does not start."""
        known = plugins.working(SIMULATORS)
        for device in devices:
            if device.driver not in known:
                raise ProfileBroken(f"{device.name}: the driver {device.driver} has no simulator")
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(theirs, tuple(devices), linger_s), name="hilgui-simulation"
        )
        with unheard_interrupts():
            self._process.start()
        theirs.close()
        self.addresses: Mapping[str, str] = self._receive()

    @property
    def pid(self) -> int | None:
        """Give the process id."""
        return self._process.pid

    def outputs(self, device: str) -> Mapping[str, float]:
        """Give what the writable channels of a device really are."""
        answer: Mapping[str, float] = self.call(device, "outputs")
        return answer

    def call(self, device: str, method: str, *arguments: Any) -> Any:
        """Call a method of a simulator."""
        self._pipe.send((device, method, arguments))
        return self._receive()

    def close(self) -> None:
        """End the process; may be called twice."""
        if not self._pipe.closed:
            with suppress(OSError):
                self._pipe.send(None)
            self._process.join(_ANSWER_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._pipe.close()

    def _receive(self) -> Any:
        try:
            if not self._pipe.poll(_ANSWER_S):
                raise RigLost("the simulated devices do not answer")
            answer = self._pipe.recv()
        except (EOFError, OSError) as failure:
            raise RigLost("the process of the simulated devices ended") from failure
        if isinstance(answer, Exception):
            raise RigLost(f"a simulated device failed: {answer}") from answer
        return answer


def simulated(profile: RigProfile) -> list[DeviceSpec]:
    """List the devices of a profile that are simulated."""
    return [spec_of(device) for device in profile.devices if device.port.simulator]


def _serve(pipe: Connection, devices: tuple[DeviceSpec, ...], linger_s: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ask_for_urgency()  # a device has a processor of its own; a crowded host must not make it late
    known = plugins.working(SIMULATORS)
    simulators: dict[str, RigSimulator] = {}
    try:
        try:
            addresses = {}
            for device in devices:
                simulators[device.name] = known[device.driver](device)
                addresses[device.name] = simulators[device.name].start()
            pipe.send(addresses)
        except Exception as failure:  # a plug-in call
            pipe.send(RuntimeError(f"{type(failure).__name__}: {failure}"))
            return
        _answer_all(pipe, simulators, linger_s)
    finally:
        for simulator in simulators.values():
            simulator.close()


def _answer_all(pipe: Connection, simulators: Mapping[str, RigSimulator], linger_s: float) -> None:
    while True:
        try:
            asked = pipe.recv()
        except (EOFError, OSError):
            threading.Event().wait(linger_s)
            return
        if asked is None:
            return
        device, method, arguments = asked
        try:
            answer = getattr(simulators[device], method)(*arguments)
        except Exception as failure:  # a plug-in call
            answer = RuntimeError(f"{type(failure).__name__}: {failure}")
        pipe.send(answer)
