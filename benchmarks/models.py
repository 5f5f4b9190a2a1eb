"""Replays every detector of the shared data over COCO-100 and sets AP beside the published figure.

    python benchmarks/models.py [--data ../shared/data] [--provider P] [--precision P] [--only NAME]

Each is one `hilgui replay`; prints a table in Markdown: AP, AP50, the median time of `run`, what it ran on. Exit code 1
where a figure is further from the published one than .005 (AP) or .012 (AP50) and no reason is written below.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

E2E = "adapter: end_to_end\ninput: {color: bgr, scale: 1.0, anchor: top_left}\n"
BROKEN = "input: {resize: letterbox, anchor: center, pad: 0}\n"
FASTEST = "published with area averaging, from .05, not clipped: docs/models.md"

# file, card, published AP and AP50 (MANIFEST.md), reason of a difference
MODELS = [
    ("models/yolox_nano_416", "", 0.367, 0.530, ""),
    ("models/derived/yolox_nano_416_int8_qdq", "", 0.354, 0.524, ""),
    ("models/derived/yolox_nano_416_int8_naive_BAD", "", 0.093, 0.172, ""),
    ("models/derived/yolox_nano_416_e2e_nms", E2E, 0.366, 0.528, ""),
    ("models/nanodet_m_416", "", 0.304, 0.480, ""),
    ("models/deimv2_atto_coco_320", "", 0.314, 0.448, ""),
    ("models/deimv2_femto_coco_416", "", 0.416, 0.564, ""),
    ("models/deimv2_atto_coco_320_int8_BROKEN", BROKEN, 0.055, 0.145, ""),
    ("models/fastestdet_352", "", 0.208, 0.383, FASTEST),
    ("models_agpl/yolov5n_640_int8", "", 0.344, 0.547, ""),
    ("models_agpl/yolov8n_640_int8", "", 0.443, 0.609, ""),
    ("models_agpl/yolo26n_640_int8", "", 0.445, 0.638, ""),
]
AP, AP50 = 0.005, 0.012


def replay(model: Path, card: str, data: Path, more: list[str], folder: Path) -> dict[str, object]:
    """Replay one model; give the document of the run."""
    if card:  # a card lies beside its model
        copy = folder / model.name
        copy.write_bytes(model.read_bytes())
        copy.with_suffix(".yaml").write_text(f"schema: hilgui/model.v1\n{card}", encoding="utf-8")
        model = copy
    pictures = data / "images_gt" / "coco_val2017_100"
    truth = pictures / "instances_val2017_100.json"
    command = [sys.executable, "-m", "hilgui", "replay", str(pictures / "images"), "--baseline", str(model)]
    command += ["--truth", str(truth), "--out", str(folder / "runs"), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise SystemExit(f"{model.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main() -> int:
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--provider", default="cpu")
    parser.add_argument("--precision", default="model")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    more = ["--provider", given.provider, "--precision", given.precision]
    unexplained = 0
    print("| model | published AP / AP50 | reached | run, ms | on | |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, card, ap, ap50, reason) in enumerate(MODELS):
            if given.only not in name:
                continue
            place = Path(folder) / str(number)
            place.mkdir()
            told = replay(given.data / f"{name}.onnx", card, given.data, more, place)
            model = told["models"]["baseline"]
            if model is None or model["detection"] is None:
                print(f"| {Path(name).name} | {ap:.3f} / {ap50:.3f} | {'; '.join(told['reasons'])} | | | |")
                unexplained += 1
                continue
            got, got50 = model["detection"]["map_50_95"], model["detection"]["map_50"]
            is_near = abs(got - ap) <= AP and abs(got50 - ap50) <= AP50
            unexplained += not is_near and not reason
            word = "" if is_near else reason or "DIFFERS"
            took = model["latency_ms"]["stages"]["run"]["p50"]
            print(
                f"| {Path(name).name} | {ap:.3f} / {ap50:.3f} | {got:.3f} / {got50:.3f} | {took:.1f} | "
                f"{model['runs_on']} | {word} |",
                flush=True,
            )
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
