"""`hilgui explain` as it is called: sentences, pictures, what is kept, what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from hilgui.cli.app import main
from hilgui.errors import CallWrong
from hilgui.explanations import Wish, explain, stored
from hilgui.explanations.scene import read_scene
from hilgui.explanations.shelf import FOLDER
from hilgui.records import Kind, Role
from hilgui.store import RunReader
from tests.unit.explanations import lamp


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Replay once; tests work on copies."""
    root = tmp_path_factory.mktemp("lamp")
    lamp.write_run(root)
    return root


@pytest.fixture
def run(street: Path) -> Path:
    """Give the run with no explanation beside it."""
    folder = next((street / "runs").iterdir())
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    return folder


def number_of(run: Path, kind: Kind) -> int:
    reader = RunReader(run)
    found = next(one.number for one in reader.findings() if one.kind is kind)
    reader.close()
    return found


def test_a_miss_is_explained_and_kept_beside_the_run(
    run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    number = number_of(run, Kind.MISSED_CRITICAL)
    assert main(["explain", str(run), str(number), "--masks", "150", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["reason"] == "score" and "its score of 0.33 is below the threshold of 0.35" in made["sentence"]
    assert made["saliency"]["has_signal"] and made["saliency"]["on_object"] > 0.5
    assert made["rescue"]["tries"][0]["severity"] < 0.1
    nearest = made["alikes"]["nearest"]
    assert nearest and any("darker" in words for words in nearest[0]["differs"])
    folder = Path(made["folder"])
    assert folder == run / FOLDER
    names = [made["picture"], made["saliency"]["picture"], made["occlusion"]["picture"], nearest[0]["picture"]]
    assert all(cv2.imread(str(folder / name)) is not None for name in names)
    kept = stored(run, tmp_path, number, Role.BASELINE)
    assert kept is not None and kept[1].sentence == made["sentence"]

    assert main(["explain", str(run), str(number), "--method", "rescue"]) == 0  # the other parts stay
    out = capsys.readouterr().out
    assert "Would have saved it: " in out and "carries the answer" in out


def test_the_same_seed_gives_the_same_document(run: Path, tmp_path: Path) -> None:
    wish = Wish(run, number_of(run, Kind.MISSED_CRITICAL), methods=("drise",), masks=60, seed=5, provider="cpu")
    first, again = (explain(wish, tmp_path, lambda *_: None, tmp_path / name)[1] for name in ("one", "two"))
    assert first.saliency == again.saliency


def test_a_phantom_that_rests_on_nothing_is_told_honestly(run: Path, tmp_path: Path) -> None:
    wish = Wish(run, number_of(run, Kind.PHANTOM), masks=60, provider="cpu")
    told: list[tuple[int, int]] = []
    _, made = explain(wish, tmp_path, lambda done, total: told.append((done, total)), tmp_path / "out")
    assert "labels have nothing here" in made.sentence
    assert made.saliency is not None and not made.saliency.has_signal
    assert told[0][0] == 0 and told[-1][0] == told[-1][1] and told == sorted(told)


def test_an_explanation_that_is_broken_off_keeps_nothing(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stopped(done: int, total: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    wish = Wish(run, number_of(run, Kind.MISSED_CRITICAL), masks=60, provider="cpu")
    with pytest.raises(KeyboardInterrupt):
        explain(wish, tmp_path, stopped)
    assert not (run / FOLDER).exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["99"], "has no finding 99"),
        (["1", "--method", "tea"], "drise"),
        (["1", "--masks", "3"], "50 to 20,000"),
        (["1", "--model-role", "candidate"], "has no candidate"),
        (["1", "--model-role", "uncle"], "baseline, candidate"),
    ],
)
def test_a_wrong_call_gets_a_sentence(
    run: Path, more: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(run), *more]) == 2
    assert sentence in capsys.readouterr().err


def test_a_finding_about_a_whole_run_is_about_no_object(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = RunReader(run)
    (whole, *_) = reader.findings()
    monkeypatch.setattr(reader, "findings", lambda: [replace(whole, kind=Kind.OVERCONFIDENT, objects=())])
    try:
        with pytest.raises(CallWrong, match="is about no single object"):
            read_scene(reader, whole.number)
    finally:
        reader.close()


def test_a_model_that_changed_or_went_away_is_a_broken_bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lamp.write_run(tmp_path)
    number = str(number_of(run, Kind.MISSED_CRITICAL))
    lamp.write_model(tmp_path / "lamp.onnx", gain=2.0)
    assert main(["explain", str(run), number]) == 4
    assert "is not the model of" in capsys.readouterr().err
    (tmp_path / "lamp.onnx").unlink()
    assert main(["explain", str(run), number]) == 4
    assert "which is gone" in capsys.readouterr().err


def test_without_the_recording_the_kept_jpeg_serves_and_without_it_nothing_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lamp.write_run(tmp_path)
    number = str(number_of(run, Kind.MISSED_CRITICAL))
    shutil.rmtree(tmp_path / "street")
    pictures = run / "pictures"
    pictures.mkdir(exist_ok=True)
    cv2.imwrite(str(pictures / "00000003.jpg"), lamp.street(lamp.DIM, 3))
    assert main(["explain", str(run), number, "--method", "rescue", "--json"]) == 0
    assert "from the JPEG" in json.loads(capsys.readouterr().out)["notes"][0]
    (pictures / "00000003.jpg").unlink()
    assert main(["explain", str(run), number, "--method", "rescue"]) == 4
    assert "there is no picture of frame 3" in capsys.readouterr().err


def test_a_run_that_cannot_be_written_has_its_explanations_in_the_home(run: Path, tmp_path: Path) -> None:
    number = number_of(run, Kind.MISSED_CRITICAL)
    (run / FOLDER).write_text("in the way", encoding="utf-8")
    try:
        folder, made = explain(Wish(run, number, methods=("lookalikes",)), tmp_path, lambda *_: None)
        assert folder == tmp_path / FOLDER / run.name
        assert stored(run, tmp_path, number, Role.BASELINE) == (folder, made)
    finally:
        (run / FOLDER).unlink()


def test_a_damaged_document_is_left_out(run: Path, tmp_path: Path) -> None:
    number = number_of(run, Kind.MISSED_CRITICAL)
    folder, _ = explain(Wish(run, number, methods=("lookalikes",)), tmp_path, lambda *_: None)
    path = next(folder.glob("*.json"))
    path.write_bytes(path.read_bytes()[:-40])
    assert stored(run, tmp_path, number, Role.BASELINE) is None


@pytest.mark.slow
def test_yolox_looks_at_the_person_it_finds(shared_data: Path, tmp_path: Path) -> None:
    """A real network on a real picture: its saliency lies on the object, better than chance."""
    from contextlib import closing

    import numpy as np

    from hilgui.explanations.eyes import Eyes
    from hilgui.explanations.saliency import saliency, share_within
    from hilgui.explanations.target import Target
    from hilgui.inference import Model

    pictures = sorted((shared_data / "images_gt" / "coco_val2017_100" / "images").glob("*.jpg"))
    with closing(Model.load(shared_data / "models" / "yolox_nano_416.onnx", provider="cpu")) as model:
        person = model.classes.index("person")
        with closing(Eyes(model, np.arange(len(model.classes), dtype=np.int32))) as eyes:
            for path in pictures:
                image = cv2.imread(str(path))
                said = eyes.look(image)
                sizes = (said.boxes[:, 3] - said.boxes[:, 1]) / image.shape[0]
                rows = np.flatnonzero((said.classes == person) & (said.scores > 0.6) & (sizes > 0.2) & (sizes < 0.7))
                if len(rows):
                    break
            box = tuple(said.boxes[rows[0]].tolist())
            found = saliency(eyes, image, Target(box, "person", person, False, 0.3), 400, 0, lambda _: None)
            on_object, share = share_within(found, box, image.shape[1], image.shape[0])
    assert found.has_signal and on_object > 2 * share
