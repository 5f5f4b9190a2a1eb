from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from hilgui.errors import ModelBroken
from hilgui.inference.card import ModelCard, card_beside, read_card
from hilgui.inference.preprocess import Preprocess

WHOLE = """\
schema: hilgui/model.v1
name: Night watch
adapter: yolox
classes: [car, person]
input:
  width: 640
  height: 384
  color: bgr
  scale: 1.0
  mean: [103.53, 116.28, 123.675]
  std: [57.375, 57.12, 58.395]
  resize: stretch
  anchor: center
  pad: 0
thresholds: {score: 0.4, nms_iou: 0.6}
licence: Apache-2.0
sha256: c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d
made_by: perception team
notes: "trained on three winters"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "night.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_card_that_says_everything_is_read(tmp_path: Path) -> None:
    card = read_card(write(tmp_path, WHOLE))

    assert card.classes == ("car", "person")
    assert card.thresholds.score == 0.4
    assert card.input.over(Preprocess()) == Preprocess(
        "bgr", 1.0, (103.53, 116.28, 123.675), (57.375, 57.12, 58.395), "stretch", "center", 0
    )


def test_what_a_card_leaves_out_is_as_the_adapter_says(tmp_path: Path) -> None:
    default = Preprocess(color="bgr", scale=1.0, pad=7)

    assert read_card(write(tmp_path, "schema: hilgui/model.v1\n")).input.over(default) == default


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (WHOLE.replace("  color: bgr", "  colour: bgr"), 8, "input.colour: unknown key"),
        (WHOLE.replace("color: bgr", "color: grey"), 8, "input.color: must be 'rgb' or 'bgr', not 'grey'"),
        (WHOLE.replace("score: 0.4", "score: 40"), 15, "thresholds.score"),
        (WHOLE.replace("mean: [103.53,", "mean: ["), 10, "input.mean"),
        (WHOLE.replace("[car, person]", "[car, car]"), 4, "car is named more than once"),
        (WHOLE.replace("std: [57.375,", "std: [0,"), 11, "input.std.0"),
        (WHOLE.replace("mean: [103.53,", "mean: [.nan,"), 10, "input.mean.0"),
        (WHOLE.replace("hilgui/model.v1", "hilgui/model.v9"), 1, "schema"),
        (WHOLE.replace("adapter: yolox", "adapter yolox"), 4, "not valid YAML"),
        (WHOLE.replace("[car, person]", "[car, person"), 5, "not valid YAML"),
        (WHOLE + "name: again\n", 20, "not valid YAML"),
        ("name: nameless\n", 1, "schema: missing"),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path, text)

    with pytest.raises(ModelBroken) as caught:
        read_card(path)

    assert f"{path}, line {line}: " in str(caught.value)
    assert said in str(caught.value)
    assert (caught.value.path, caught.value.line) == (path, line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no keys"),
        ("- a\n- b\n", "holds no keys"),
        ("schema: hilgui/model.v1\nname: &a x\nnotes: *a\n", "alias"),
        ("schema: \x00\n", "not valid YAML"),
        ("# " + "x" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_what_is_no_card_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ModelBroken, match=said):
        read_card(write(tmp_path, text))


def test_a_card_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_bytes(b"schema: hilgui/model.v1\nmade_by: M\xfcller\n")

    with pytest.raises(ModelBroken, match="cannot be read"):
        read_card(path)


def test_the_card_lies_beside_the_model_and_is_called_like_it(tmp_path: Path) -> None:
    card = write(tmp_path, WHOLE)

    assert card_beside(tmp_path / "night.onnx") == card
    assert card_beside(tmp_path / "day.onnx") is None


def test_the_card_in_the_guide_is_a_card_that_says_everything(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    text = textwrap.dedent("    schema:" + guide.partition("    schema:")[2].partition("\n\n")[0])

    assert read_card(write(tmp_path, text)).model_fields_set == set(ModelCard.model_fields)


def test_a_card_is_not_changed_after_it_was_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ModelCard(schema="hilgui/model.v1").name = "other"
