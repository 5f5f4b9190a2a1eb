"""How soon a process gets the processor: real-time scheduling where this machine allows it, and what it got said."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from dataclasses import dataclass

SWITCH_S = 0.0005  # Python's threads hand over after this long instead of 5 ms
_PRIORITY = 10  # of 1 to 99: above every usual program, below the kernel's own threads
_NICE = -15
_USUAL = "usual scheduling"
_MCL_CURRENT, _MCL_ONFAULT = 1, 4

HOW_TO = "allow real-time priority for the operators (docs/install.md) and log in again"


@dataclass(frozen=True, slots=True)
class Urgency:
    """What a process was given."""

    scheduling: str = _USUAL
    is_urgent: bool = False
    is_memory_locked: bool = False
    why: str = ""  # why not more

    def in_words(self) -> str:
        """Say it in one line."""
        locked = "memory locked" if self.is_memory_locked else "memory not locked"
        return f"{self.scheduling}, {locked}{f' ({self.why})' if self.why else ''}"


def be_responsive() -> None:
    """Let a waiting thread of this process have its turn sooner; for everybody who beats."""
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))


def ask_for_urgency() -> Urgency:
    """Ask for real-time scheduling, else a better nice value, and for locked memory.

    Call it before threads are made: they inherit it. The kernel keeps a share of each core for everybody else,
    so that a driver which never returns cannot take the machine with it.
    """
    scheduling, why = _scheduled()
    return Urgency(scheduling, scheduling != _USUAL, _locked(), why)


def possible_urgency() -> Urgency:
    """Say what a process of this user would get; tried on a thread that ends, so nothing stays."""
    found: list[tuple[str, str]] = []
    thread = threading.Thread(target=lambda: found.append(_scheduled()), name="urgency")
    thread.start()
    thread.join()
    scheduling, why = found[0]
    return Urgency(scheduling, scheduling != _USUAL, False, why)


def collect_later() -> None:
    """Leave what exists out of every collection and collect only when asked: no pause at a bad moment."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _scheduled() -> tuple[str, str]:
    if not hasattr(os, "sched_setscheduler"):
        return _USUAL, f"{sys.platform} is not asked for more"
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    except OSError as refusal:
        why = f"real-time refused: {os.strerror(refusal.errno or 0)}"
    else:
        return f"real-time (SCHED_RR {_PRIORITY})", ""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    except OSError:
        return _USUAL, why
    return f"nice {_NICE}", why


def _locked() -> bool:
    """Keep what is in memory there; what comes later is not, so that no later allocation can fail by it."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_ONFAULT) == 0)
    except (OSError, AttributeError):
        return False
