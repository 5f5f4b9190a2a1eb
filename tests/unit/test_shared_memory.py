"""Memory between processes: seen by both, and gone with them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from hilgui.rigs.pulse import Pulse
from hilgui.shared_memory import SharedMemory

_FRONT_END = """
import sys, time
from pathlib import Path
from hilgui.engine import Engine
from hilgui.rigs.client import SupervisorClient

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    engine = Engine(with_screen=True)
    engine.start()
    client = SupervisorClient(folder / "rig.yaml", folder)
    client.start()
    client.wait_ready()
    print("up", flush=True)
    while True:
        client.poll()
        time.sleep(0.02)
"""
_RIG = """\
schema: hilgui/rig.v1
name: shared memory
devices:
  - {name: board, driver: rehearsal, port: {simulator: true}, options: {dead_man_ms: 200}}
"""


def _stamped(pulse: Pulse, memory: SharedMemory, pipe: Connection) -> None:
    pulse.beat()
    memory.map[:5] = b"hello"
    pulse.close()
    memory.close()
    pipe.send("done")


def test_two_processes_see_the_same() -> None:
    pulse, memory = Pulse.make(), SharedMemory.make(1 << 16, "test")
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_stamped, args=(pulse, memory, theirs))
    assert pulse.last_ns(time.monotonic_ns()) is None
    process.start()
    assert ours.poll(60) and ours.recv() == "done"
    process.join(60)
    assert pulse.last_ns(time.monotonic_ns()) is not None
    assert pulse.last_ns(1) is None  # from the future
    assert memory.map[:6] == b"hello\0"
    for each in (pulse, memory, pulse, memory):
        each.close()
    for pipe in (ours, theirs):
        pipe.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_front_end_leaves_no_shared_memory_behind(tmp_path: Path) -> None:
    (tmp_path / "rig.yaml").write_text(_RIG, encoding="utf-8")
    (tmp_path / "front_end.py").write_text(_FRONT_END, encoding="utf-8")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(tmp_path / "front_end.py"), str(tmp_path)]
    front = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    others: list[psutil.Process] = []
    try:
        assert front.stdout is not None and front.stdout.readline() == "up\n"
        others = psutil.Process(front.pid).children(recursive=True)
        mapped = {line.split(maxsplit=5)[5] for line in Path(f"/proc/{front.pid}/maps").read_text().splitlines()
                  if "hilgui-" in line}  # fmt: skip
        assert len(mapped) == 2, mapped  # screen, pulse
    finally:
        front.send_signal(signal.SIGKILL)
        front.communicate(timeout=60)
        _, alive = psutil.wait_procs(others, timeout=60)
        for each in alive:
            each.kill()
    assert not alive
    assert not [name for name in mapped if Path(name).exists()]
    assert not list(tmp_path.glob("hilgui-*"))  # nor what the engine wrote its last words to
