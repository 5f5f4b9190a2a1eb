"""The shipped drives and where they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hilgui.scenes.render import Renderer
from hilgui.scenes.weather import CONDITIONS
from hilgui.scenes.write import Files, files_of

DEMO = Path(__file__).resolve().parents[3] / "assets" / "demo"
HEADER = re.compile(r"# renderer (\d+) condition (\w+) seed (\d+) seconds ([\d.]+) people ([01])")


@dataclass(frozen=True, slots=True)
class Shipped:
    """One drive of the repository, as its hash file describes it."""

    files: Files
    version: int
    condition: str
    seed: int
    seconds: float
    hashes: tuple[str, ...]

    def renderer(self) -> Renderer:
        """Start the drive again."""
        return Renderer(CONDITIONS[self.condition], self.seed, self.seconds)


def shipped(name: str) -> Shipped:
    """Read the header and the hashes of a shipped drive."""
    files = files_of(DEMO, name)
    header, *hashes = files.hashes.read_text(encoding="utf-8").split("\n")[:-1]
    found = HEADER.fullmatch(header)
    assert found is not None, header
    version, condition, seed, seconds, _people = found.groups()
    return Shipped(files, int(version), condition, int(seed), float(seconds), tuple(hashes))
