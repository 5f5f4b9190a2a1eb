"""Times STOP from the call in the front end to the bytes at the device, with everything busy.

    python benchmarks/stop.py [--presses N]

Four busy threads in the front end, one busy process per core. A press is timed from the call to the moment at which the
system has taken the bytes for the port, in the supervisor; when the simulated device has read them is told beside it.
Every tenth press finds the rig armed with 12 V on; the others press again on a rig that is latched, which takes the
same way through the same code.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from hilgui.rigs.selftest import stop_to_bytes, write_profiles


def main() -> int:
    """Press, and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=1000)
    presses = parser.parse_args().presses
    with tempfile.TemporaryDirectory() as name:
        write_profiles(Path(name))
        holds = False
        for figure in stop_to_bytes(Path(name), presses):
            limit = f"; limit {figure.limit}" if figure.limit else ""
            print(f"{figure.guarantee}: {figure.measured} (n = {figure.n}{limit})")
            holds = figure.holds
    print(f"load average {' '.join(f'{each:.1f}' for each in os.getloadavg())}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
