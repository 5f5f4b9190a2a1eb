"""Measures the tables of docs/attacks.md; docs/make_robustness.py writes them into it.

A call is answered from the store where it was made before with the same model. White-box attacks need the extra
`attacks`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.robustness import results_root
from hilgui.settings import load_settings

COCO = "../shared/data/images_gt/coco_val2017_100"
LABELS = ("--truth", f"{COCO}/instances_val2017_100.json")
DAY, BASELINE, CANDIDATE = (f"assets/demo/{name}" for name in ("day.mp4", "baseline.onnx", "candidate.onnx"))
YOLOX, DEIM, SHUFFLE = (
    f"../shared/data/models/{name}.onnx" for name in ("yolox_nano_416", "deimv2_atto_coco_320", "shufflenet_v2_12_int8")
)
NAMES = {
    BASELINE: "demo baseline",
    CANDIDATE: "demo candidate",
    YOLOX: "YOLOX-Nano",
    DEIM: "DEIMv2-Atto",
    SHUFFLE: "ShuffleNet v2 int8",
}


@dataclass(frozen=True)
class Attack:
    """One call of `hilgui attack`."""

    method: str
    model: str
    more: tuple[str, ...]  # what is asked besides pictures and labels

    @property
    def call(self) -> tuple[str, ...]:
        """Give the words after `hilgui`."""
        is_demo, is_classifier = self.model.startswith("assets"), self.model == SHUFFLE
        pictures = (DAY,) if is_demo else (f"{COCO}/images",) if is_classifier else (f"{COCO}/images", *LABELS)
        return ("attack", self.method, self.model, *pictures, *self.more)


FEW = ("--count", "25")
CREATE, CHANGE = (*FEW, "--goal", "create", "--class", "person"), (*FEW, "--goal", "change")
PIXELS = (
    Attack("pgd", BASELINE, FEW),
    Attack("pgd", CANDIDATE, (*FEW, "--defences", "--baseline", BASELINE)),
    Attack("pgd", YOLOX, (*FEW, "--defences", "--baseline", DEIM)),
    Attack("pgd", DEIM, FEW),
    Attack("pgd", SHUFFLE, ("--count", "40")),
    Attack("fgsm", SHUFFLE, (*FEW, "--defences", "--certified", "8", "--sigma", "0.1")),
    *(Attack("pgd", model, CREATE) for model in (CANDIDATE, YOLOX, DEIM)),
    *(Attack("pgd", model, CHANGE) for model in (CANDIDATE, YOLOX, DEIM)),
    *(Attack("square", model, (*FEW, "--queries", "200")) for model in (CANDIDATE, YOLOX, SHUFFLE)),
    Attack("fgsm", YOLOX, ("--count", "100")),
)
PATCHES = tuple(
    Attack("patch", model, ("--count", "60", "--tries", tries)) for model, tries in ((CANDIDATE, "100"), (YOLOX, "100"))
)


def measured(attack: Attack, root: Path, data: Path) -> dict[str, Any]:
    """Give the document of a call, made now where it is not stored."""

    def placed(word: str) -> str:
        return word.replace("../shared/data", str(data))

    model = (root / placed(attack.model)).read_bytes()
    digest = hashlib.sha256(json.dumps(attack.call).encode() + model).hexdigest()[:10]
    folder = results_root(load_settings().home) / f"attacks-docs-{Path(attack.model).stem}-{attack.method}-{digest}"
    if not (folder / "attack.json").is_file():
        words = [placed(word) for word in attack.call]
        command = [sys.executable, "-m", "hilgui", *words, "--out", str(folder), "--json"]
        done = subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 3):
            raise SystemExit(f"hilgui {' '.join(words)} ended with {done.returncode}")
    document: dict[str, Any] = json.loads((folder / "attack.json").read_bytes())
    return document
