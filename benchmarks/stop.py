"""Times STOP from the call in the front end to the bytes at the device, with everything busy.

    python benchmarks/stop.py [--presses N]

Four busy threads in the front end, one busy process per core. A press is timed from the call to the moment at which the
simulated device has read the whole STOP line: an upper bound of the bytes on the port. Every tenth press finds the rig
armed with 12 V on; the others press again on a rig that is latched, which takes the same way through the same code.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from hilgui.rigs.selftest import PROFILE, stop_to_bytes


def main() -> int:
    """Press, and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=1000)
    presses = parser.parse_args().presses
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "rig.yaml").write_text(PROFILE, encoding="utf-8")
        for figure in stop_to_bytes(Path(name), presses):
            print(f"{figure.guarantee}: {figure.measured} (n = {figure.n}; limit {figure.limit})")
            if not figure.holds:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
