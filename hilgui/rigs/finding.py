"""From a wish in a profile to the port that is there now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgui.errors import RigLost
from hilgui.rigs.profile import DeviceWish, PortWish

_BY_ID = Path("/dev/serial/by-id")


@dataclass(frozen=True, slots=True)
class PortFound:
    """One serial port of this machine."""

    address: str
    name: str
    usb_serial: str | None = None
    vid_pid: str | None = None


def found_ports() -> list[PortFound]:
    """List the serial ports of this machine, sorted by address."""
    from serial.tools import list_ports

    ports = []
    for port in list_ports.comports():
        known = port.vid is not None and port.pid is not None
        vid_pid = f"{port.vid:04x}:{port.pid:04x}" if known else None
        ports.append(PortFound(port.device, port.description or port.device, port.serial_number, vid_pid))
    return sorted(ports, key=lambda port: port.address)


def find_port(device: DeviceWish, ports: list[PortFound]) -> str:
    """Give the address of a device's port; raises RigLost where none or more than one fits."""
    wish: PortWish = device.port
    if wish.simulator:
        raise ValueError(f"{device.name} is simulated; its simulator gives the port")
    if wish.url or wish.path:
        return str(wish.url or wish.path)
    if wish.by_id:
        path = _BY_ID / wish.by_id
        if path.exists():
            return str(path)
        raise RigLost(f"{device.name}: there is no {path}; is it plugged in?")
    if wish.usb_serial:
        what, fitting = f"USB serial number {wish.usb_serial}", [p for p in ports if p.usb_serial == wish.usb_serial]
    else:
        wanted = str(wish.vid_pid).lower()
        what, fitting = f"USB id {wanted}", [p for p in ports if p.vid_pid == wanted]
    if len(fitting) == 1:
        return fitting[0].address
    if fitting:
        addresses = ", ".join(port.address for port in fitting)
        raise RigLost(f"{device.name}: {what} fits {addresses}; name the device by its serial number or by_id")
    raise RigLost(f"{device.name}: no port with {what}; is it plugged in? `hilgui rig list` shows what is there")
