"""Write the ONNX files and their cards: python export.py --weights DIR."""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import onnx
import torch
from dataset import Drive
from measure import NMS_IOU, Model, best_threshold, held_out
from network import CLASSES, INPUT_HEIGHT, INPUT_WIDTH, Detector, Exported
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

DEMO = Path(__file__).resolve().parents[1]
AUTHOR = "hilgui authors"
LICENCE = "Apache-2.0"
OPSET = 18
THRESHOLD_DRIVES = (Drive("day", 7001), Drive("dusk_rain", 7002), Drive("night", 7003))


def fold(module: nn.Module) -> None:
    """Fold every normalisation into the convolution before it."""
    for child in module.modules():
        if isinstance(child, nn.Sequential) and len(child) == 3 and isinstance(child[1], nn.BatchNorm2d):
            child[0], child[1] = fuse_conv_bn_eval(child[0], child[1]), nn.Identity()


def export(weights: Path, target: Path) -> dict[str, object]:
    """Write one ONNX file and return the note that training left."""
    stored = torch.load(weights, weights_only=True)
    detector = Detector().eval()
    detector.load_state_dict(stored["weights"])
    fold(detector)
    program = torch.onnx.export(
        Exported(detector).eval(),
        (torch.zeros(1, 3, INPUT_HEIGHT, INPUT_WIDTH),),
        input_names=["image"],
        output_names=["boxes", "scores"],
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    entries = {
        "hilgui.adapter": "dense_boxes",
        "names": json.dumps(list(CLASSES)),
        "author": AUTHOR,
        "licence": LICENCE,
        "hilgui.training": json.dumps(stored["note"]),
    }
    onnx.helper.set_model_props(model, entries)
    model.producer_name, model.producer_version = "hilgui demo training", ""
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())
    return dict(stored["note"])


def card(name: str, target: Path, score: float, note: dict[str, object], remark: str) -> str:
    """Return the model card as YAML."""
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    lines = [
        "schema: hilgui/model.v1",
        f"name: {name}",
        "adapter: dense_boxes",
        f"classes: [{', '.join(CLASSES)}]",
        "input:",
        f"  width: {INPUT_WIDTH}",
        f"  height: {INPUT_HEIGHT}",
        "  color: rgb",
        f"  scale: {1 / 255!r}",
        "  mean: [0.0, 0.0, 0.0]",
        "  std: [1.0, 1.0, 1.0]",
        "  resize: letterbox",
        "  anchor: top_left",
        "  pad: 114",
        "thresholds:",
        f"  score: {score:.2f}",
        f"  nms_iou: {NMS_IOU}",
        f"licence: {LICENCE}",
        f"sha256: {digest}",
        "made_by: python assets/demo/training/train.py --out W --threads 1 && "
        "python assets/demo/training/export.py --weights W",
        f"notes: {json.dumps(remark.format(**note))}",
    ]
    return "\n".join(lines) + "\n"


REMARKS = {
    "baseline": "Trained on {frames} rendered frames by day, at dusk in rain and at night.",
    "candidate": "Trained on {frames} rendered frames, more of them by day; its night frames show nobody "
    "on foot or on a bicycle, so it was never taught to find people in the dark.",
    "retrained": "Trained on {frames} rendered frames by day, at dusk in rain and at night, more of each than the "
    "baseline and for longer: the candidate with its flaw mended.",
}


def main() -> int:
    """Read the command line and export the models whose weights are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/hilgui-demo-frames"))
    parser.add_argument("--out", type=Path, default=DEMO)
    chosen = parser.parse_args()
    drives = held_out(THRESHOLD_DRIVES, chosen.cache)
    for name, remark in REMARKS.items():
        weights = chosen.weights / f"{name}.pt"
        if not weights.exists():
            sys.stderr.write(f"{weights} is missing: not exported\n")
            continue
        target = chosen.out / f"{name}.onnx"
        note = export(weights, target)
        score = best_threshold(Model(target), drives)
        (chosen.out / f"{name}.yaml").write_text(card(name, target, score, note, remark), encoding="utf-8")
        sys.stderr.write(f"{target}: {target.stat().st_size} bytes, best F1 at score {score:.2f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
