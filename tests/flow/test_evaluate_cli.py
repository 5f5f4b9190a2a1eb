"""`hilgui evaluate`, `compare` and `noise` as an engineer types them, on a run that the engine made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.cli import main

from .tiny import write_drive, write_model


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Replay a drive with its old model and again with a new, weaker one."""
    bench = tmp_path_factory.mktemp("bench")
    write_drive(bench / "drive.mp4")
    write_model(bench / "old.onnx")
    write_model(bench / "new.onnx", score=0.3)
    folders = []
    for model in ("old", "new"):
        out = bench / model
        words = [
            "replay",
            bench / "drive.mp4",
            "--baseline",
            bench / f"{model}.onnx",
            "--provider",
            "cpu",
            "--out",
            out,
        ]
        assert main([str(word) for word in words]) == 0
        folders += [path for path in out.iterdir() if path.is_dir()]
    return folders[0], folders[1]


def document(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    capsys.readouterr()
    assert main([*(str(word) for word in words), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert isinstance(plain, dict)
    return plain


def test_evaluate_gives_figures_at_another_threshold(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    card = document(capsys, "evaluate", runs[1])["models"]["baseline"]["figures"]  # type: ignore[index]
    low = document(capsys, "evaluate", runs[1], "--threshold", 0.2)["models"]["baseline"]["figures"]  # type: ignore[index]
    assert (card["recall.person"]["value"], low["recall.person"]["value"]) == (0.0, 1.0)
    assert card["map_50"]["value"] == low["map_50"]["value"] == 1.0


@pytest.mark.parametrize("protocol", ["kitti", "voc", "scalabel"])
def test_evaluate_by_other_protocols_and_classes_in_words(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], protocol: str
) -> None:
    assert main(["evaluate", str(runs[0]), "--protocol", protocol, "--by", "class"]) == 0
    told = capsys.readouterr().out
    assert f"{protocol}." in told
    assert "person" in told


def test_explain_leads_to_the_frames(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    behind = document(capsys, "evaluate", runs[1], "--explain", "recall.person")["frames"]["baseline"]  # type: ignore[index]
    assert len(behind) == 40
    assert (behind[0]["seq"], behind[0]["key"], behind[0]["contribution"]) == (0, "drive.mp4#000000", 1.0)
    assert main(["evaluate", str(runs[1]), "--explain", "recal"]) == 2
    assert "recall" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "meant"), [("hotta.person", "hota.person"), ("idf", "idf1"), ("critical_recal", "critical_recall")]
)
def test_a_figure_that_is_mistyped_is_answered_with_the_nearest_names(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], typed: str, meant: str
) -> None:
    assert main(["evaluate", str(runs[1]), "--explain", typed]) == 2
    said = capsys.readouterr().err.partition("try ")[2].replace("\n", " ")
    assert meant in said
    assert said.count(",") < 3


def test_compare_says_what_became_worse(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    compared = document(capsys, "compare", runs[0], runs[1])
    recall = compared["differences"]["others"][0]["figures"]["baseline"]["recall"]  # type: ignore[index]
    assert (recall["a"], recall["b"], recall["difference"]) == (1.0, 0.0, -1.0)
    assert main(["compare", str(runs[0])]) == 2


def test_noise_replays_twice_and_compare_knows_it(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    floor = document(capsys, "noise", runs[0])
    assert (floor["frames"], floor["identical"], floor["unpaired"]) == (40, 40, 0)
    assert (runs[0] / "noise.json").is_file()
    compared = document(capsys, "compare", runs[0], runs[1])
    assert compared["differences"]["noise"]["identical"] == 40  # type: ignore[index]


def test_a_waiver_of_yesterday_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "waivers.yaml"
    words = ["waive", str(runs[1]), "1", "--owner", "Ada", "--reason", "known", "--waivers", str(file), "--expires"]
    assert main([*words, "2020-01-01"]) == 2
    assert "2020-01-01 is past" in " ".join(capsys.readouterr().err.split())
    assert not file.exists()
    assert main([*words, "2999-12-31"]) == 0
    assert "2999-12-31" in file.read_text(encoding="utf-8")


def test_a_reason_that_figures_share_is_printed_once(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["evaluate", str(runs[1]), "--protocol", "kitti"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "kitti.easy:" in text
    assert text.count("chooses its score thresholds") <= 1
    assert "kitti.easy.dog" not in text  # a class without labels
