"""A simulated Grbl 1.1h: its lines and real-time bytes, planner, homing, soft and hard limits, alarms, banner.

True to the v1.1 interface where a host can tell: which states refuse which command, that a hit switch silences it
until a reset, that a reset in motion is ALARM:3, that a hold ends a jog. Junction speeds are left out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import ClassVar

from devices.rigs.grbl import options_of
from devices.rigs.grbl_words import CRITICAL
from devices.sim.port import PortSimulator
from devices.sim.stage import Move, Stage
from hilgui.rigs import DeviceSpec

BANNER = b"\r\nGrbl 1.1h ['$' for help]\r\n"
_LINE = 80
_PLANNER = 15
_PULL_OFF = 1.0
_WORD = re.compile(r"([A-Z])([-+]?(?:\d+\.?\d*|\.\d+))")
_LETTERS = "XYZ"
_PAN_TILT = {
    "axes": {
        "pan": {"letter": "x", "unit": "deg", "travel": [0, 90], "speed": 30, "acceleration": 200},
        "tilt": {"letter": "y", "unit": "deg", "travel": [0, 45], "speed": 30, "acceleration": 200},
    }
}


class GrblSimulator(PortSimulator):
    """See RigSimulator; `jam`, `hit_switch`, `open_door`, `reboot` inject what can go wrong at a stage."""

    examples: ClassVar[tuple[DeviceSpec, ...]] = (DeviceSpec("head", "grbl", _PAN_TILT),)

    def __init__(self, device: DeviceSpec) -> None:
        super().__init__(device)
        options = options_of(device)
        self._names = {axis.letter.upper(): name for name, axis in options.axes.items()}
        axes = {axis.letter.upper(): axis for axis in options.axes.values()}
        travel = [axes[letter].travel if letter in axes else (0.0, 200.0) for letter in _LETTERS]
        rate = [axes[letter].speed if letter in axes else 10.0 for letter in _LETTERS]
        acceleration = [axes[letter].acceleration if letter in axes else 10.0 for letter in _LETTERS]
        start = [min(max(0.0, low), high) for low, high in travel]
        self.settings: dict[int, float] = {
            0: 10, 1: 25, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 10: 1, 11: 0.01, 12: 0.002, 13: 0,
            20: options.homing, 21: 1, 22: options.homing, 23: 7, 24: 25, 25: 500, 26: 250, 27: _PULL_OFF,
            30: 1000, 31: 0, 32: 0, 100: 250, 101: 250, 102: 250,
            **{110 + axis: rate[axis] * 60 for axis in range(3)},
            **{120 + axis: acceleration[axis] for axis in range(3)},
            **{130 + axis: travel[axis][1] - travel[axis][0] for axis in range(3)},
        }  # fmt: skip
        self.startup = ["", ""]
        lows, highs = [low for low, _ in travel], [high for _, high in travel]
        self.stage = Stage(lows, highs, min(axis.acceleration for axis in axes.values()), list(start), list(start))
        self._state = "Alarm" if options.homing else "Idle"
        self._line = bytearray()
        self._waiting: list[str] = []  # lines that wait for room in the planner
        self._is_dead = False  # after ALARM:1 and ALARM:2: only a reset is heard
        self._is_cancelling = False
        self._is_absolute, self._scale, self._feed = True, 1.0, 0.0
        self._homing: list[int] = []
        self._last_s = time.monotonic()
        self.reset_ns: list[int] = []  # when soft resets arrived

    def outputs(self) -> Mapping[str, float]:
        """Give where the axes really are."""
        with self.lock:
            return {name: self.stage.real[_LETTERS.index(letter)] for letter, name in self._names.items()}

    def is_moving(self) -> bool:
        """Say whether steps are made."""
        with self.lock:
            return self.stage.is_moving

    def resets(self) -> list[int]:
        """Give when soft resets arrived, monotonic nanoseconds."""
        return list(self.reset_ns)

    def jam(self, axis: str) -> None:
        """Jam an axis: its motor steps, it stays; an open loop cannot feel it."""
        with self.lock:
            self.stage.jammed.add(self._number(axis))

    def hit_switch(self, axis: str) -> None:
        """Press a limit switch from outside."""
        with self.lock:
            number = self._number(axis)
            self.stage.real[number] = self.stage.high[number] + 1.0

    def open_door(self) -> None:
        """Open the safety door, as the pin does."""
        with self.lock:
            self._real_time(0x84)

    def reboot(self) -> None:
        """Lose the supply for a moment: position gone, banner shown."""
        with self.lock:
            self.stage.freeze()
            self.stage.position = [0.0, 0.0, 0.0]
            self._alarm_free_state()
            self.say(BANNER)

    def hear(self, data: bytes) -> None:
        """Sort bytes: real-time ones act at once, the others make lines."""
        for byte in data:
            if byte in b"?!~\x18" or byte >= 0x80:
                self._real_time(byte)
            elif self._is_dead:
                continue
            elif byte in b"\r\n":
                line, self._line = bytes(self._line), bytearray()
                self._waiting.append(line.decode("ascii", "replace"))
                self._work()
            elif len(self._line) <= _LINE:
                self._line.append(byte)

    def pass_time(self, now_s: float) -> None:
        """Move, and see what came of it."""
        duration_s, self._last_s = min(now_s - self._last_s, 0.2), now_s
        self.stage.advance(duration_s)
        if self._homing:
            self._go_home()
        elif any(self.stage.at_switch) and self.settings[21] and not self._is_dead and self._state != "Alarm":
            self._raise_alarm(1)
        self._settle()
        self._work()

    def _real_time(self, byte: int) -> None:
        if byte == 0x18:
            self._reset()
        elif self._is_dead:
            return
        elif byte == 0x3F:
            self.say(self._report())
        elif byte == 0x21:
            self._hold("Hold")
        elif byte == 0x84:
            if self._homing:
                self._homing.clear()
                self._raise_alarm(7)
            self._hold("Door")
        elif byte == 0x7E and self._state.startswith(("Hold", "Door")):
            self.stage.is_holding = False
            self._state = "Run" if self.stage.moves else "Idle"
        elif byte == 0x85 and self._state == "Jog":
            self._is_cancelling = self.stage.is_holding = True

    def _hold(self, state: str) -> None:
        if self._state in ("Alarm", "Home") or self._state.startswith("Door"):
            return
        if self._state == "Jog":
            self._is_cancelling = self.stage.is_holding = True
            if state == "Hold":
                return
        self.stage.is_holding = True
        self._state = f"{state}:1" if self.stage.speed > 0 else f"{state}:0"

    def _settle(self) -> None:
        """Leave states that end by themselves."""
        if self.stage.is_holding and self.stage.speed <= 0:
            if self._is_cancelling:
                self._is_cancelling = self.stage.is_holding = False
                self.stage.moves.clear()
                if self._state == "Jog":
                    self._state = "Idle"
            elif self._state in ("Hold:1", "Door:1"):
                self._state = f"{self._state[:-1]}0"
        elif self._state in ("Run", "Jog") and not self.stage.moves:
            self._state = "Idle"

    def _reset(self) -> None:
        self.reset_ns.append(time.monotonic_ns())
        moved = self.stage.speed > 0 or bool(self._homing)
        self.stage.freeze()
        self._line.clear()
        self._waiting.clear()
        self._is_cancelling = False
        was_dead, self._is_dead = self._is_dead, False
        if moved and not was_dead:
            alarm = 6 if self._homing else 3
            self._homing.clear()
            self._state = "Alarm"
            self.say(f"ALARM:{alarm}\r\n".encode())
        self._homing.clear()
        if self._state != "Alarm":
            self._state = "Idle"
        self._is_absolute, self._scale, self._feed = True, 1.0, 0.0
        self.say(BANNER)
        if self._state == "Alarm":
            self.say(b"[MSG:'$H'|'$X' to unlock]\r\n")

    def _raise_alarm(self, number: int) -> None:
        self.stage.freeze()
        self._homing.clear()
        self._waiting.clear()
        self._state = "Alarm"
        self.say(f"ALARM:{number}\r\n".encode())
        if number in CRITICAL:
            self._is_dead = True
            self.say(b"[MSG:Reset to continue]\r\n")

    def _alarm_free_state(self) -> None:
        self._is_dead = False
        self._homing.clear()
        self._line.clear()
        self._waiting.clear()
        self._state = "Alarm" if self.settings[22] else "Idle"

    def _report(self) -> bytes:
        position = ",".join(f"{value:.3f}" for value in self.stage.position)
        pins = "".join(letter for letter, at in zip(_LETTERS, self.stage.at_switch, strict=True) if at)
        told = f"|Pn:{pins}" if pins else ""
        return f"<{self._state}|MPos:{position}|FS:{self.stage.speed * 60:.0f},0{told}>\r\n".encode()

    def _work(self) -> None:
        """Answer lines in their order; a move waits for room in the planner, its answer with it."""
        while self._waiting and not self._is_dead and self._state != "Home":
            line = self._waiting[0].upper().replace(" ", "")
            is_move = line.startswith("$J=") or (bool(line) and line[0] in "GXYZ")
            if is_move and len(self.stage.moves) >= _PLANNER:
                return
            self._waiting.pop(0)
            error = self._execute(line)
            if self._state == "Home" or self._is_dead:
                return
            self.say(f"error:{error}\r\n".encode() if error else b"ok\r\n")

    def _execute(self, line: str) -> int:
        """Carry out one line; gives its error code, 0 for ok."""
        if len(line) > _LINE:
            return 11
        if not line:
            return 0
        if line.startswith("$"):
            return self._system(line)
        if self._state in ("Alarm", "Jog"):
            return 9
        return self._g_code(line)

    def _system(self, line: str) -> int:
        if line.startswith("$J="):
            return self._jog(line[3:]) if self._state in ("Idle", "Jog") else 8
        if line in ("$$", "$G", "$"):
            if self._state == "Run" or self._state.startswith("Hold"):
                return 8
            if line == "$$":
                self.say("".join(f"${number}={value:g}\r\n" for number, value in self.settings.items()).encode())
            elif line == "$G":
                self.say(b"[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]\r\n")
            else:
                self.say(b"[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\n")
            return 0
        if line == "$X":
            if self._state == "Alarm":
                self._state = "Idle"
                self.stage.freeze()
                self.say(b"[MSG:Caution: Unlocked]\r\n")
            return 0
        if self._state not in ("Idle", "Alarm"):
            return 8
        if line == "$I":
            self.say(b"[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\n")
        elif line == "$N":
            self.say("".join(f"$N{number}={text}\r\n" for number, text in enumerate(self.startup)).encode())
        elif line == "$#":
            self.say(b"[G54:0.000,0.000,0.000]\r\n[G92:0.000,0.000,0.000]\r\n[TLO:0.000]\r\n")
        elif line == "$H":
            if not self.settings[22]:
                return 5
            self._begin_homing()
        elif match := re.fullmatch(r"\$(\d{1,3})=([0-9.]{1,10})", line):
            if int(match[1]) not in self.settings:
                return 3
            self.settings[int(match[1])] = float(match[2])
        else:
            return 3
        return 0

    def _begin_homing(self) -> None:
        self._state = "Home"
        self._homing = [_LETTERS.index(letter) for letter in self._names]
        self._seek(self._homing[0])

    def _seek(self, axis: int) -> None:
        target = list(self.stage.position)
        target[axis] -= 1.5 * self.settings[130 + axis] + 1
        self.stage.moves.append(Move(tuple(target), self.settings[110 + axis] / 60, False))

    def _go_home(self) -> None:
        """Go on with the homing cycle: to the switch, pull off, next axis."""
        axis = self._homing[0]
        if self.stage.at_switch[axis]:
            self.stage.freeze()
            home = self.stage.low[axis]
            self.stage.real[axis] = self.stage.position[axis] = home
            self._homing.pop(0)
            if self._homing:
                self._seek(self._homing[0])
            else:
                self._state = "Idle"
                self.say(b"ok\r\n")
        elif not self.stage.moves:
            self._raise_alarm(9)

    def _jog(self, text: str) -> int:
        words = self._words(text)
        if words is None or any(letter not in "GXYZF" for letter, _ in words):
            return 16
        if any(letter == "G" and value not in (20, 21, 53, 90, 91) for letter, value in words):
            return 16
        found = dict(words)
        if "F" not in found:
            return 22
        if not set(found) & set(_LETTERS):
            return 26
        g_codes = {value for letter, value in words if letter == "G"}
        scale = 25.4 if 20 in g_codes else self._scale
        is_absolute = 91 not in g_codes and (90 in g_codes or self._is_absolute)
        target = self._target(found, is_absolute, scale)
        if self.settings[20] and self._is_outside(target):
            return 15
        self._plan(target, found["F"] * scale / 60, is_jog=True)
        return 0

    def _g_code(self, line: str) -> int:
        words = self._words(line)
        if words is None:
            return 2
        if any(letter == "G" and value not in (0, 1, 20, 21, 53, 90, 91) for letter, value in words):
            return 20
        if any(letter not in "GXYZFM" for letter, _ in words):
            return 20
        found = dict(words)
        g_codes = {value for letter, value in words if letter == "G"}
        self._scale = 25.4 if 20 in g_codes else 1.0 if 21 in g_codes else self._scale
        self._is_absolute = 91 not in g_codes and (90 in g_codes or self._is_absolute)
        self._feed = found.get("F", self._feed)
        if not set(found) & set(_LETTERS):
            return 0
        if 1 in g_codes and not self._feed:
            return 22
        target = self._target(found, self._is_absolute, self._scale)
        if self.settings[20] and self._is_outside(target):
            self._raise_alarm(2)
            return 0
        self._plan(target, self._feed * self._scale / 60 if 1 in g_codes else float("inf"), is_jog=False)
        return 0

    def _words(self, text: str) -> list[tuple[str, float]] | None:
        words = [(letter, float(number)) for letter, number in _WORD.findall(text)]
        return words if words and not _WORD.sub("", text) else None

    def _target(self, found: Mapping[str, float], is_absolute: bool, scale: float) -> tuple[float, ...]:
        begin = self.stage.moves[-1].target if self.stage.moves else tuple(self.stage.position)
        return tuple(
            begin[axis] if letter not in found else found[letter] * scale + (0.0 if is_absolute else begin[axis])
            for axis, letter in enumerate(_LETTERS)
        )

    def _is_outside(self, target: tuple[float, ...]) -> bool:
        bounds = zip(target, self.stage.low, self.stage.high, strict=True)
        return any(not low - 1e-6 <= value <= high + 1e-6 for value, low, high in bounds)

    def _plan(self, target: tuple[float, ...], rate: float, *, is_jog: bool) -> None:
        begin = self.stage.moves[-1].target if self.stage.moves else tuple(self.stage.position)
        axes = [axis for axis in range(3) if target[axis] != begin[axis]]
        if axes:
            fastest = min(self.settings[110 + axis] / 60 for axis in axes)
            self.stage.moves.append(Move(target, min(rate, fastest), is_jog))
            self._state = "Jog" if is_jog else "Run"

    def _number(self, axis: str) -> int:
        return _LETTERS.index(next(letter for letter, name in self._names.items() if name == axis))
