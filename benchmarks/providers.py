"""Times `run` of one model on several providers in turn, and how much longer a load takes with its attestation.

python benchmarks/providers.py MODEL.onnx [--on cpu openvino openvino:bf16] [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from hilgui.inference import Model
from hilgui.inference.execution import Execution
from hilgui.inference.session import open_session


def attestation_ms(path: Path, rounds: int) -> tuple[float, float]:
    """Time to make a session and run it twice: plain, and profiled, with the profile read."""
    feeds = {}
    model = Model.load(path, provider="cpu")
    feeds = model.feeds(np.zeros((480, 640, 3), np.uint8), model.workspace())
    plain, profiled = [], []
    for _ in range(rounds):
        for spent, is_profiled in ((plain, False), (profiled, True)):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                session = open_session(path, Execution("cpu"), Path(folder) / "run" if is_profiled else None)
                session.run(feeds)
                session.run(feeds)
                if is_profiled:
                    session.profiled()
                spent.append((time.perf_counter() - started) * 1e3)
    return statistics.median(plain), statistics.median(profiled)


def main() -> None:
    """Run all in turn and print medians, the least, and the ratio to the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--on", nargs="+", default=["cpu", "openvino", "openvino:bf16"])
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    models = {}
    for name in given.on:
        provider, _, precision = name.partition(":")
        models[name] = Model.load(given.model, provider=provider, precision=precision or "model")
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    spaces = {name: model.workspace() for name, model in models.items()}
    took: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(given.rounds):
        for name, model in models.items():
            took[name].append(model.infer(image, spaces[name]).run_ns / 1e6)
    first = statistics.median(took[given.on[0]])
    for name, spent in took.items():
        middle = statistics.median(spent)
        print(f"{name:16s} median {middle:6.1f} ms, least {min(spent):6.1f}, {middle / first:.2f}×")
    plain, profiled = attestation_ms(given.model, max(3, given.rounds // 10))
    print(f"session and two runs: {plain:.0f} ms, with the attestation {profiled:.0f} ms ({profiled / plain:.2f}×)")


if __name__ == "__main__":
    main()
