"""Arduino sketches compiled with Debian's tools and run in simavr, with their UART on a pseudo terminal."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_ARDUINO = Path("/usr/share/arduino/hardware/arduino/avr")
_HEADER = Path("/usr/include/simavr/sim_avr.h")
_BRIDGE = Path(__file__).with_name("bridge.c")
MCU = "atmega328p"
HZ = 16_000_000
_PATIENCE_S = 30.0


def need_avr_tools() -> None:
    """Skip, and say which package is missing."""
    missing = [
        package
        for package, is_there in {
            "gcc-avr": shutil.which("avr-gcc"),
            "arduino-core-avr": _ARDUINO.is_dir(),
            "libsimavr-dev": _HEADER.is_file(),
            "gcc": shutil.which("gcc"),
        }.items()
        if not is_there
    ]
    if missing:
        pytest.skip(f"needs the Debian packages {', '.join(missing)}")


def build_sketch(sketch: Path, folder: Path) -> Path:
    """Compile a sketch with the Arduino core for an Uno; give the ELF file."""
    flags = [
        "-Os",
        "-w",
        f"-mmcu={MCU}",
        f"-DF_CPU={HZ}L",
        "-DARDUINO=10819",
        "-DARDUINO_AVR_UNO",
        "-DARDUINO_ARCH_AVR",
    ]
    flags += [
        "-ffunction-sections",
        "-fdata-sections",
        f"-I{_ARDUINO}/cores/arduino",
        f"-I{_ARDUINO}/variants/standard",
    ]
    flags += [f"-I{sketch.parent}"]
    source = folder / "sketch.cpp"
    source.write_text(f'#include <Arduino.h>\n#line 1 "{sketch.name}"\n{sketch.read_text()}', encoding="utf-8")
    core = _ARDUINO / "cores/arduino"
    sources = [source, *sorted(core.glob("*.c")), *sorted(core.glob("*.cpp"))]
    objects = []
    for path in sources:
        made = folder / f"{path.name}.o"
        tool = ["avr-gcc", "-std=gnu11"] if path.suffix == ".c" else ["avr-g++", "-std=gnu++11", "-fno-exceptions"]
        warnings = ["-Wall", "-Wextra", "-Werror"] if path == source else []
        own = [flag for flag in flags if not (warnings and flag == "-w")]
        system = ["-fno-threadsafe-statics", "-DDECIMAL_DIG=17"] if path.suffix == ".cpp" else []
        _run([*tool, *own, *warnings, *system, "-c", str(path), "-o", str(made)])
        objects.append(str(made))
    elf = folder / "sketch.elf"
    _run(["avr-gcc", f"-mmcu={MCU}", "-Os", "-Wl,--gc-sections", *objects, "-o", str(elf), "-lm"])
    return elf


def build_bridge(folder: Path) -> Path:
    """Compile the bridge between simavr and a pseudo terminal."""
    program = folder / "bridge"
    _run(["gcc", "-O2", "-I/usr/include/simavr", str(_BRIDGE), "-o", str(program), "-lsimavr", "-lutil"])
    return program


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


@dataclass(frozen=True)
class Change:
    """A pin or a timer's compare value that changed, in microseconds of simulated time."""

    at_us: int
    name: str
    value: int


class AvrBoard:
    """The firmware, running; `changes` are what its pins did."""

    def __init__(self, bridge: Path, elf: Path, pins: Sequence[str]) -> None:
        command = [str(bridge), str(elf), MCU, str(HZ), *pins]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self._process.stdout is not None
        self.port = next(line.split()[1] for line in self._process.stdout if line.startswith("PORT "))
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        self._thread = threading.Thread(target=self._listen, name="avr")
        self._thread.start()

    @property
    def changes(self) -> list[Change]:
        with self._lock:
            return list(self._changes)

    def values(self) -> dict[str, int]:
        """Give the newest value of everything that ever changed."""
        return {change.name: change.value for change in self.changes}

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def eventually(self, name: str, value: int) -> bool:
        return self._waited(lambda: self.values().get(name) == value)

    def ever(self, name: str, value: int) -> bool:
        return self._waited(lambda: any((c.name, c.value) == (name, value) for c in self.changes))

    def _waited(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            words = line.split()
            if len(words) == 4 and words[0] in ("PIN", "PWM"):
                with self._lock:
                    self._changes.append(Change(int(words[1]), words[2], int(words[3])))
