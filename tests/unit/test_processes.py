"""Ctrl-C goes to the front end alone, and no helper process outlives a command."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")

# A front end whose child is interrupted before it could ignore anything, as by Ctrl-C in a terminal.
FRONT_END = """\
import multiprocessing, os, signal, sys
from hilgui.processes import unheard_interrupts

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs this in the background has it ignored
    child = multiprocessing.get_context("spawn").Process(target=os._exit, args=(7,))
    with unheard_interrupts():
        child.start()
    os.kill(child.pid, signal.SIGINT)
    child.join()
    sys.exit(child.exitcode)
"""

TRACKED = """\
import atexit
from hilgui.processes import wait_for_tracker

atexit.register(wait_for_tracker)
from multiprocessing import resource_tracker

resource_tracker.ensure_running()
print(resource_tracker._resource_tracker._pid)
"""


def python(tmp_path, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "front_end.py").write_text(text)
    command = [sys.executable, str(tmp_path / "front_end.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_child_that_still_starts_does_not_heed_ctrl_c(tmp_path):
    ended = python(tmp_path, FRONT_END)
    assert (ended.returncode, ended.stderr) == (7, "")
    deaf = python(tmp_path, FRONT_END.replace("with unheard_interrupts():", "if True:"))
    assert deaf.returncode != 7, "without it the child dies of the signal: the test can fail"


def test_the_front_end_hears_ctrl_c_again_afterwards():
    from hilgui.processes import unheard_interrupts

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background has it ignored
    try:
        with pytest.raises(KeyboardInterrupt), unheard_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_resource_tracker_has_ended_when_the_command_has(tmp_path):
    ended = python(tmp_path, TRACKED)
    assert (ended.returncode, ended.stderr) == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)
