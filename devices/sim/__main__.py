"""`python -m devices.sim DRIVER [key=value …]`: starts a simulated device and prints its port, until Ctrl-C.

A profile reaches it by `port: {path: …}` for a pseudo terminal and by `port: {url: …}` with `--tcp`.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import threading
from typing import Any

from hilgui import plugins
from hilgui.errors import HilguiError
from hilgui.rigs import DeviceSpec
from hilgui.rigs.protocol import SIMULATORS


def main(arguments: list[str] | None = None, ended: threading.Event | None = None) -> int:
    """Serve until `ended` or Ctrl-C; give the exit code: 2 for a wrong call, 4 for options the driver refuses."""
    known = plugins.working(SIMULATORS)
    parser = argparse.ArgumentParser(prog="python -m devices.sim", description="Start a simulated device.")
    parser.add_argument("driver", choices=sorted(known), help="whose device")
    parser.add_argument("options", nargs="*", metavar="key=value", help="options as in a profile, of the driver")
    parser.add_argument("--tcp", action="store_true", help="a TCP port of this machine, no pseudo terminal")
    asked = parser.parse_args(arguments)
    options = {key: _value(text) for key, _, text in (each.partition("=") for each in asked.options)}
    try:
        simulator = known[asked.driver](DeviceSpec(asked.driver, asked.driver, options))
    except HilguiError as failure:
        print(failure, file=sys.stderr)  # noqa: T201 - a command line of its own
        return failure.exit_code
    if asked.tcp and "over_tcp" not in inspect.signature(simulator.start).parameters:
        parser.error(f"the simulator of {asked.driver} has no TCP port")
    try:
        print(simulator.start(**{"over_tcp": True} if asked.tcp else {}), flush=True)  # noqa: T201
        (ended or threading.Event()).wait()
    except KeyboardInterrupt:
        return 130
    finally:
        simulator.close()
    return 0


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


if __name__ == "__main__":
    raise SystemExit(main())
