"""Gradients through PyTorch: only where the extra `attacks` is installed, and then left out of the usual gate."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hilgui.attacks import twin
from hilgui.attacks.aims import Goal, _on
from hilgui.attacks.gallery import Gallery
from hilgui.attacks.twin import Twin, missing
from hilgui.errors import AttackBroken
from hilgui.resources import shipped
from hilgui.settings import load_settings

needs_torch = pytest.mark.skipif(bool(missing()), reason=f"the extra attacks is not installed: {missing()} missing")


def test_without_pytorch_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin, "missing", lambda: "torch")
    with pytest.raises(AttackBroken, match=r"hilgui\[attacks\].*square and patch work without"):
        Twin(shipped("assets/demo/baseline.onnx"))


@needs_torch
@pytest.mark.slow
def test_a_step_against_the_gradient_lowers_what_was_aimed_at() -> None:
    from hilgui.attacks.gradient import Gradients

    source = shipped("assets/demo/day.mp4")
    with closing(Gallery(shipped("assets/demo/baseline.onnx"), source, load_settings(), count=2)) as gallery:
        gradients = Gradients(gallery.model)
        assert gradients.difference < 1e-4
        shot = gallery.shots[0]
        target = gallery.target(shot, Goal.HIDE)
        slope = gradients.of(shot.image.astype(np.float32), target)
        ends = []
        for sign in (-1, 0, 1):
            _, read, _ = gradients._forward(shot.image + sign * 3.0 * np.sign(slope), target)
            on = _on(read, gradients._placed(target, shot.image.shape))
            ends.append(np.where(on, read.scores[:, target.classes], 0.0).max(axis=0, initial=0.0).sum())
        assert ends[2] < ends[1] < ends[0]


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["yolox_nano_416.onnx", "deimv2_atto_coco_320.onnx", "shufflenet_v2_12_int8.onnx", "nanodet_m_416.onnx"],
)
def test_the_twin_of_a_real_network_is_that_network(name: str, shared_data: Path) -> None:
    from hilgui.inference import Model

    with closing(Model.load(shared_data / "models" / name, provider="cpu")) as model:
        picture = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
        assert Twin(Path(model.facts.path)).check(model.feeds(picture, model.workspace())) < 0.1
