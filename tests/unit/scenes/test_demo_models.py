"""The shipped demo models are small, carry what the bench asks for, and match their cards."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnxruntime
import pytest
from ruamel.yaml import YAML

from tests.unit.scenes.shipped import DEMO

MODELS = ("baseline", "candidate", "retrained")
LARGEST = 2_000_000


def _card(name: str) -> dict[str, object]:
    return dict(YAML(typ="safe").load((DEMO / f"{name}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", MODELS)
def test_a_card_names_the_hash_of_its_file(name: str) -> None:
    assert _card(name)["sha256"] == hashlib.sha256((DEMO / f"{name}.onnx").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_small(name: str) -> None:
    assert (DEMO / f"{name}.onnx").stat().st_size <= LARGEST


@pytest.mark.parametrize("name", MODELS)
def test_a_model_answers_with_boxes_and_scores(name: str) -> None:
    session = onnxruntime.InferenceSession(DEMO / f"{name}.onnx", providers=["CPUExecutionProvider"])

    boxes, scores = session.run(["boxes", "scores"], {"image": np.zeros((1, 3, 288, 480), np.float32)})

    assert boxes.shape == (1, scores.shape[1], 4)
    assert scores.shape[2] == 4
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_file_itself_says_how_it_is_read(name: str) -> None:
    session = onnxruntime.InferenceSession(DEMO / f"{name}.onnx", providers=["CPUExecutionProvider"])

    entries = session.get_modelmeta().custom_metadata_map

    assert entries["hilgui.adapter"] == _card(name)["adapter"] == "dense_boxes"
    assert json.loads(entries["names"]) == _card(name)["classes"] == ["person", "cyclist", "car", "truck"]
    assert entries["licence"] == "Apache-2.0"
