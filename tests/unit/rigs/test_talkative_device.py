"""One device in the supervisor: what its thread makes of a device that talks too much."""

from __future__ import annotations

import queue

from devices.rigs.modbus import ModbusDriver
from devices.sim.modbus_relay import ModbusRelaySimulator
from hilgui.rigs.device import DeviceWorker, Identified, Polled, Report, Troubled
from hilgui.rigs.ports import SerialSettings
from hilgui.rigs.protocol import DeviceSpec

_PATIENCE_S = 30.0


class _Chatterbox(ModbusRelaySimulator):
    """Answers every question rightly and goes on talking."""

    surplus = b""

    def take(self, data: bytes) -> bytes:
        answer = super().take(data)
        return answer + self.surplus if answer else answer


def _next(reports: queue.Queue[Report], kind: type[Report]) -> Report:
    while not isinstance(report := reports.get(timeout=_PATIENCE_S), kind):
        pass
    return report


def test_a_device_that_answers_and_talks_unasked_is_given_up() -> None:
    simulator = _Chatterbox(spec := ModbusRelaySimulator.examples[0])
    reports: queue.Queue[Report] = queue.Queue()
    worker = _worker(spec, simulator.start(), reports)
    try:
        worker.start()
        assert isinstance(_next(reports, Identified), Identified)
        _next(reports, Polled)
        simulator.surplus = b"\xa5U" * 300  # more than a late answer
        lost = _next(reports, Troubled)
        assert isinstance(lost, Troubled) and "unasked" in lost.sentence
        simulator.surplus = b""
        _next(reports, Identified)  # quiet again: found again
    finally:
        worker.close(_PATIENCE_S)
        simulator.close()


def _worker(spec: DeviceSpec, address: str, reports: queue.Queue[Report]) -> DeviceWorker:
    return DeviceWorker(spec, address, SerialSettings(), ModbusDriver(), None, reports.put, lambda: False, {})
