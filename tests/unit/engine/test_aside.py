"""The process beside the screen may start processes of its own: a model that was never used is tried in one."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from hilgui.engine.aside import Aside, Tell


@dataclass(frozen=True, slots=True)
class Grandchild:
    """Gives the exit status of a process of the process."""

    def __call__(self, kept: dict[str, Any], tell: Tell) -> int | None:
        process = multiprocessing.get_context("spawn").Process(target=sys.exit, args=(7,), daemon=True)
        process.start()
        process.join(120)
        return process.exitcode


def silent(done: int, total: int) -> None:
    """Hear no progress."""


def test_it_may_start_a_process_of_its_own() -> None:
    aside = Aside()
    try:
        assert aside.ask(Grandchild(), silent) == 7
    finally:
        aside.close()


def test_an_application_that_forgets_it_ends_all_the_same() -> None:
    program = (
        "import tests.unit.engine.test_aside as test\n"
        "if __name__ == '__main__':\n"
        "    print(test.Aside().ask(test.Grandchild(), test.silent))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "7"), ended.stderr
