"""`python -m devices.sim`: a device to try a profile with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devices.rigs.board import BoardDriver
from devices.rigs.scpi import ScpiDriver
from devices.sim.__main__ import main
from hilgui.rigs import DeviceSpec, QueryLink, Transport

_ROOT = Path(__file__).parents[3]


@contextmanager
def _started(*arguments: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "devices.sim", *arguments], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_a_simulated_board_is_found_at_the_printed_port() -> None:
    with _started("board") as port:
        device = DeviceSpec("board", "board")
        transport = Transport(port)
        try:
            link = QueryLink(transport, lambda sent: BoardDriver().is_query(device, sent))
            assert BoardDriver().reader(device, link).identify().model == "hilgui-board"
        finally:
            transport.close()


def test_a_simulated_supply_of_another_dialect_listens_on_tcp() -> None:
    with _started("scpi", "dialect=numbered", "--tcp") as port:
        assert port.startswith("socket://127.0.0.1:")
        device = DeviceSpec("supply", "scpi", {"dialect": "numbered"})
        transport = Transport(port)
        try:
            assert ScpiDriver().reader(device, transport).identify().maker == "HILGUI"
        finally:
            transport.close()


def test_options_that_the_driver_refuses_end_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scpi", "dialect=klingon"]) == 4
    assert "klingon" in capsys.readouterr().err


def test_an_unknown_driver_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["teapot"])
    assert ended.value.code == 2 and "teapot" in capsys.readouterr().err
