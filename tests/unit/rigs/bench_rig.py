"""A rig of one rehearsal board, its supervisor and its simulated device, for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hilgui.rigs import arming, supervisor
from hilgui.rigs.client import RigHand, SupervisorClient
from hilgui.rigs.lines import Lines
from hilgui.rigs.rehearsed import arm_simulated

PROFILE = """\
schema: hilgui/rig.v1
name: test bench
devices:
  - name: board
    driver: rehearsal
    port: {simulator: true}
    channels:
      voltage: {unit: V, low: 0, high: 20}
hazards:
  - {id: H1, text: the supply burns what hangs on it}
invariants:
  - id: supply_max
    version: 1
    severity: stop
    signal: board.voltage
    unit: V
    operator: "<="
    limit: 14.4 V
    hazard_id: H1
    rationale: the camera dies above
    tests: [test_supervisor]
"""
HURRIED_S = 1.5  # both limits of a hurried supervisor
PATIENCE_S = 20.0  # the machine may be busy


def write_profile(folder: Path, text: str = PROFILE) -> Path:
    path = folder / "rig.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def hurried(front: Lines, engine: Lines | None, setup: supervisor.Setup) -> None:
    """Run the real supervisor with the 30 s for the second confirmation and the 10 idle minutes shortened."""
    arming.CONFIRM_NS = arming.IDLE_NS = int(HURRIED_S * arming.NS)
    supervisor.main(front, engine, setup)


class Desk:
    """The front end of a test: keeps polling while it waits, as a front end does."""

    def __init__(self, client: SupervisorClient, engine: RigHand | None) -> None:
        self.client = client
        self.engine = engine

    def arm(self) -> None:
        arm_simulated(self.client, "tester")

    def outputs(self) -> Mapping[str, float]:
        assert self.client.simulation is not None
        return self.client.simulation.outputs("board")

    def is_off(self) -> bool:
        return not any(self.outputs().values())

    def eventually(self, holds: Callable[[], bool], *, polling: bool = True) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if polling:
                self.client.poll()
            if holds():
                return True
            time.sleep(0.01)
        return False


@contextmanager
def rig(
    folder: Path,
    text: str = PROFILE,
    *,
    shadow: bool = False,
    with_engine: bool = False,
    main: Callable[[Lines, Lines | None, supervisor.Setup], None] = supervisor.main,
) -> Iterator[Desk]:
    client = SupervisorClient(write_profile(folder, text), folder / "home", shadow=shadow, main=main)
    engine = client.start(with_engine=with_engine)
    try:
        client.wait_ready()
        yield Desk(client, engine if isinstance(engine, RigHand) else None)
    finally:
        if engine is not None:
            engine.close()
        client.close()
