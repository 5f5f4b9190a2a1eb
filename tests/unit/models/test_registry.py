"""The registry: content decides, aliases move whole, and what is put into use has proven to be itself."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, ModelBroken, RegistryBroken
from hilgui.models import Alias, Follower, Golden, Move, Registry, clip_sha256
from tests.unit.inference.tiny import dense

BOX = [[1, 2, 30, 40]]


def model(folder: Path, name: str, score: float) -> Path:
    folder.mkdir(exist_ok=True)
    return dense(BOX, [[score, 0.1]]).write(folder / f"{name}.onnx")


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    return [model(tmp_path / "files", name, score) for name, score in (("old", 0.6), ("new", 0.7))]


@pytest.fixture
def moves() -> list[Move]:
    return []


@pytest.fixture
def registry(tmp_path: Path, models: list[Path], moves: list[Move]) -> Registry:
    """Give a slot whose champion is "old" and whose candidate is "new"."""
    made = Registry(tmp_path / "models", replay=says(), witness=moves.append)
    for path in models:
        made.shelf.put(path, by="ada")
    made.set("front", Alias.CHAMPION, "old", by="ada", reason="first")
    made.set("front", Alias.CANDIDATE, "new", by="ada", reason="trained at night too")
    moves.clear()
    return made


class says:
    """Answers every clip; `changed` makes it answer otherwise."""

    changed = 0

    def __call__(self, path: Path, clip: Path) -> Golden:
        return Golden(clip_sha256(clip), 10, 4 + self.changed, {"person": 4 + self.changed}, 0.5, (0, 0, 9, 9))


def test_the_same_content_is_in_once_whatever_its_name(tmp_path: Path, models: list[Path]) -> None:
    registry = Registry(tmp_path / "models")
    copy = tmp_path / "renamed.onnx"
    copy.write_bytes(models[0].read_bytes())

    first = registry.shelf.put(models[0], by="ada", command="train.py --seed 3", notes="week 7")
    again = registry.shelf.put(copy, by="bob")

    assert again == first
    assert (first.name, first.lineage.by, first.lineage.command) == ("old", "ada", "train.py --seed 3")
    assert registry.path(first.sha256[:8]).read_bytes() == models[0].read_bytes()


def test_a_card_is_part_of_a_model(tmp_path: Path, models: list[Path]) -> None:
    """Another threshold is another behaviour."""
    registry = Registry(tmp_path / "models")
    bare = registry.shelf.put(models[0], by="ada")
    models[0].with_suffix(".yaml").write_text("schema: hilgui/model.v1\nthresholds: {score: 0.4}\n", encoding="utf-8")

    carded = registry.shelf.put(models[0], by="ada")

    assert carded.sha256 != bare.sha256
    assert carded.onnx_sha256 == bare.onnx_sha256
    assert set(carded.files) == {"old.onnx", "old.yaml"}


def test_lineage_names_models_that_are_there(tmp_path: Path, models: list[Path]) -> None:
    registry = Registry(tmp_path / "models")
    parent = registry.shelf.put(models[0], by="ada")

    child = registry.shelf.put(models[1], by="ada", made_from=(parent.short,))

    assert child.lineage.made_from == (parent.sha256,)
    with pytest.raises(CallWrong, match="has no model nothing"):
        registry.shelf.put(model(tmp_path / "files", "other", 0.3), by="ada", made_from=("nothing",))


def test_a_broken_file_leaves_nothing_behind(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no model at all")

    with pytest.raises(ModelBroken) as caught:
        registry.shelf.put(bad, by="ada")

    assert str(bad) in str(caught.value)
    assert ".import" not in str(caught.value)
    assert registry.shelf.entries() == []
    assert list((tmp_path / "models" / "shelf").iterdir()) == []


@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_changed_byte_is_found_before_the_model_is_used(registry: Registry, place: int) -> None:
    path = registry.path("new")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)

    with pytest.raises(RegistryBroken, match="is not what was imported as new"):
        registry.path("new")
    with pytest.raises(RegistryBroken, match="is not what was imported"):
        registry.promote("front", by=("ada", "bob"), reason="gate")
    assert placed(registry, Alias.CHAMPION) == registry.entry("old").sha256


def test_an_edited_entry_is_found(registry: Registry) -> None:
    """Whoever swaps a file and its hash in the entry still misses the hash of the folder."""
    path = registry.path("new")
    other = registry.path("old").read_bytes()
    path.chmod(0o644)
    path.write_bytes(other)
    entry = path.parent / "entry.json"
    plain = json.loads(entry.read_text(encoding="utf-8"))
    plain["files"][plain["model"]] = registry.entry("old").onnx_sha256
    entry.write_text(json.dumps(plain), encoding="utf-8")

    with pytest.raises(RegistryBroken, match="do not make its hash"):
        registry.path("front@candidate")


def test_promotion_keeps_the_way_back(registry: Registry, moves: list[Move]) -> None:
    old, new = registry.entry("old").sha256, registry.entry("new").sha256

    registry.promote("front", by=("ada", "bob"), reason="gate 12")
    assert (placed(registry, Alias.CHAMPION), placed(registry, Alias.LAST_GOOD)) == (new, old)

    registry.roll_back("front", by="eve", reason="misses cyclists")
    assert placed(registry, Alias.CHAMPION) == old
    assert [(move.action, move.sha256, move.by) for move in moves] == [
        ("promote", new, ("ada", "bob")),
        ("roll_back", old, ("eve",)),
    ]
    assert [move["action"] for move in registry.history("front")] == ["set", "set", "promote", "roll_back"]


def test_a_follower_sees_each_move_once(registry: Registry) -> None:
    follower = Follower(registry, "front")

    assert follower.poll() == registry.path("old")
    assert follower.poll() is None
    registry.promote("front", by=("ada", "bob"), reason="gate")
    assert follower.poll() == registry.path("new")
    registry.roll_back("front", by="ada", reason="doubt")
    assert follower.poll() == registry.path("old")


def test_a_model_that_answers_otherwise_is_not_promoted(tmp_path: Path, registry: Registry) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"a clip")
    registry.set_golden("front", clip)
    assert "golden clip" in registry.promote("front", by=("ada", "bob"), reason="gate").checked
    answering = registry._replay
    assert isinstance(answering, says)
    answering.changed = 1

    with pytest.raises(RegistryBroken, match="5 detections of person instead of 4"):
        registry.roll_back("front", by="ada", reason="doubt")

    # The champion was in doubt, so the alias moved all the same; somebody has to look.
    assert placed(registry, Alias.CHAMPION) == registry.entry("old").sha256


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda registry: registry.roll_back("front", by="a", reason="r"), "has no last_good"),
        (lambda registry: registry.promote("rear", by=("a",), reason="r"), "has no candidate"),
        (lambda registry: registry.entry("front@winner"), "winner is no alias"),
        (lambda registry: registry.entry("rear@champion"), "slot rear has no champion"),
        (lambda registry: registry.set("../x", Alias.CANDIDATE, "new", by="a", reason="r"), "is no name of a slot"),
        (
            lambda registry: registry.set("front", Alias.CHAMPION, "new", by="a", reason="r"),
            "changes by promoting or rolling back",
        ),
    ],
)
def test_a_wrong_call_is_told(registry: Registry, call: object, said: str) -> None:
    assert callable(call)
    with pytest.raises(CallWrong, match=said):
        call(registry)


def test_a_model_is_found_by_the_hash_of_its_onnx_file(registry: Registry) -> None:
    """That is the hash which runs and decisions tell."""
    new = registry.entry("new")
    assert registry.entry(new.onnx_sha256[:12]) == new


def test_a_process_that_dies_while_it_moves_leaves_the_old_or_the_new_alias(registry: Registry) -> None:
    new, old = registry.entry("new").sha256, registry.entry("old").sha256
    context = multiprocessing.get_context("spawn")
    for bytes_written in (0, 40):
        child = context.Process(target=_die_while_writing, args=(registry.folder, bytes_written))
        child.start()
        child.join()
        assert placed(registry, Alias.CHAMPION) == old
    assert placed(registry, Alias.CANDIDATE) == new
    registry.promote("front", by=("ada", "bob"), reason="the lock died with its process")


def _die_while_writing(folder: Path, bytes_written: int) -> None:
    import hilgui.durable
    import hilgui.models.registry

    def write(path: Path, content: bytes) -> None:
        if path.name == "champion":
            path.with_name(".champion.half").write_bytes(content[:bytes_written])
            os._exit(9)
        hilgui.durable.write_whole(path, content)

    hilgui.models.registry.write_whole = write
    Registry(folder, replay=says()).promote("front", by=("x", "y"), reason="dies")


def placed(registry: Registry, alias: Alias) -> str:
    found = registry.placed("front", alias)
    assert found is not None
    return found.sha256
