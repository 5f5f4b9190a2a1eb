"""SCPI against programs that nobody here wrote: pyvisa-sim as the instrument, PyVISA-py as the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.rigs.scpi import ScpiDriver, SupplyWriter
from devices.sim.scpi_supply import ScpiSupplySimulator
from devices.sim.wire import SimulatedDevice
from hilgui.errors import RigRefused
from hilgui.rigs import DeviceSpec, StopCategory, Transport

pyvisa = pytest.importorskip("pyvisa", reason="needs PyVISA, PyVISA-py and PyVISA-sim")
SUPPLY = DeviceSpec("supply", "scpi")


class VisaSupply(SimulatedDevice):
    """Carries bytes between a pseudo terminal and an instrument of pyvisa-sim, whose resources are no ports."""

    def __init__(self) -> None:
        super().__init__("visa")
        self._manager = pyvisa.ResourceManager(f"{Path(__file__).with_name('visa_supply.yaml')}@sim")
        self.instrument: Any = self._manager.open_resource(
            "ASRL1::INSTR", read_termination="\n", write_termination="\n", timeout=20
        )
        self._pending = b""

    def take(self, data: bytes) -> bytes:
        *lines, self._pending = (self._pending + data).split(b"\n")
        answers = b""
        for line in lines:
            if line:
                self.instrument.write_raw(line + b"\n")
            if line.endswith(b"?"):
                answers += self.instrument.read_raw()
        return answers

    def close(self) -> None:
        super().close()
        self.instrument.close()
        self._manager.close()


@pytest.fixture
def visa() -> Iterator[VisaSupply]:
    supply = VisaSupply()
    yield supply
    supply.close()


@pytest.fixture
def writer(visa: VisaSupply) -> Iterator[SupplyWriter]:
    transport = Transport(visa.start())
    yield ScpiDriver().writer(SUPPLY, transport)
    transport.close()


def test_the_driver_identifies_sets_reads_and_switches_pyvisa_s_supply(writer: SupplyWriter, visa: VisaSupply) -> None:
    assert str(writer.identify()) == "PyVISA SIM PSU 0.7 #7"
    writer.set("voltage", 12.345)
    writer.set("current", 1.5)
    writer.set("ovp", 14.0)
    writer.set("output", 1.0)
    assert visa.instrument.query("SOUR:VOLT?") == "+1.23450E+01"
    assert visa.instrument.query("OUTP?") == "ON"
    assert writer.read("voltage").value == 12.345 and writer.read("current").value == 1.5
    assert {reading.channel: reading.value for reading in writer.signals()}["measured_current"] == 0.12
    writer.stop(StopCategory.CUT_POWER)
    assert visa.instrument.query("OUTP?") == "OFF"
    writer.safe_state()


def test_what_pyvisa_s_supply_refuses_is_refused_here(writer: SupplyWriter) -> None:
    writer.set("voltage", 5.0)
    with pytest.raises(RigRefused, match=r"-113"):
        writer.set("voltage", 25.0)  # the driver allows 30 V, this instrument 20 V
    assert writer.read("voltage").value == 5.0
    writer.set("voltage", 6.0)


def test_old_errors_are_not_blamed_on_a_new_command(writer: SupplyWriter, visa: VisaSupply) -> None:
    for _ in range(3):
        visa.instrument.write("NONSENSE")
    writer.set("voltage", 5.0)


@pytest.mark.parametrize("dialect", ["generic", "numbered"])
def test_pyvisa_as_the_host_finds_the_simulated_supply_alive(dialect: str) -> None:
    simulator = ScpiSupplySimulator(DeviceSpec("supply", "scpi", {"dialect": dialect}))
    port = simulator.start(over_tcp=True).rpartition(":")[2]
    manager = pyvisa.ResourceManager("@py")
    try:
        end = "\r\n" if dialect == "numbered" else "\n"
        host = manager.open_resource(f"TCPIP::127.0.0.1::{port}::SOCKET", read_termination=end, timeout=10_000)
        assert host.query("*IDN?") == "HILGUI,SIM-SUPPLY,0001,1.0"
        orders = {"generic": ("SOUR:VOLT 3.3", "OUTP ON", "OUTP?"), "numbered": ("V1 3.3", "OP1 1", "OP1?")}
        voltage, on, ask = orders[dialect]
        host.write(voltage)
        host.write(on)
        assert host.query(ask) == "1"
        assert simulator.outputs()["voltage"] == 3.3
        host.close()
    finally:
        manager.close()
        simulator.close()
