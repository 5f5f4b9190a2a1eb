"""A file that is larger than the memory of the machine costs a sentence, not the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SIZE = 2**40  # bytes; sparse, so that no disk is used
_OPEN = """
import sys
from pathlib import Path
from hilgui.errors import SourceBroken
from hilgui.sources import source_for
try:
    source = source_for(Path(sys.argv[1]), None, None)
    source.open()
except SourceBroken as failure:
    print(failure)
# not ru_maxrss: a child inherits that of the process it was forked from, a whole test run
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", ["drive.mp4", "drive.mcap", "drive.bag"])
def test_a_recording_larger_than_memory_is_one_sentence_in_bounded_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(_SIZE)
    done = subprocess.run([sys.executable, "-c", _OPEN, str(path)], text=True, capture_output=True, timeout=120)
    *sentence, peak_mb = done.stdout.strip().splitlines()
    assert len(sentence) == 1 and name in sentence[0], done
    assert int(peak_mb) < 1000, done
