"""Evidence on the command line, as two people and a stranger use it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hilgui.cli import main
from hilgui.evidence import Decisions, KeyRing
from hilgui.models import Alias
from hilgui.settings import load_settings
from tests.flow.tiny import write_drive, write_model
from tests.unit.evidence.bench import BETTER, PASSPHRASE, plan, record, registry, stocked

GATE = """
schema: hilgui/gate.v1
name: front
subject:
  stage: STAGE
  baseline: {model: BASELINE}
  candidate: {model: CANDIDATE}
data: {min_clusters: 2, min_frames: 20}
statistics: {rollback: {min_clusters: 2}}
gates:
  - {id: recall, metric: recall.person, role: non_inferiority, margin: 0.01, better: higher}
  - {id: gain, metric: map_50_95, role: superiority, better: higher}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    monkeypatch.setenv("HILGUI_PASSPHRASE_FILE", str(secret))
    monkeypatch.setenv("HILGUI_OPERATOR", "eve")
    return load_settings().home


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == code, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def test_two_people_promote_and_a_stranger_checks(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, models = stocked(home, tmp_path)
    about = {"candidate": {"model": "front@candidate"}, "baseline": {"model": "front@champion"}}
    made = record(home, plan=plan(subject=about), models=models, **BETTER)
    promote = ["models", "promote", "front", "--decision", "last"]
    for name in ("ada", "bob"):
        assert main(["keys", "new", name]) == 0
    assert said(capsys, *promote, code=2)["error"].endswith(f"2 more with `hilgui sign {made.id} --key NAME`")

    assert said(capsys, "sign", "last", "--key", "ada")["agreed"] == ["ada"]
    assert "ada has signed" in said(capsys, "sign", "last", "--key", "ada", code=2)["error"]
    assert said(capsys, "sign", made.id[:15], "--key", "bob")["is_agreed"] is True
    move = said(capsys, *promote)

    assert (move["action"], move["by"]) == ("promote", ["ada", "bob"])
    assert [one["id"] for one in said(capsys, "decisions", "list")["decisions"]] == [made.id]
    assert [one["action"] for one in said(capsys, "models", "history", "front")["moves"]] == ["set", "set", "promote"]
    bundle = tmp_path / "e.zip"
    assert said(capsys, "evidence", "bundle", "last", "--out", str(bundle), "--key", "ada")["size"] > 10_000
    assert said(capsys, "evidence", "verify", str(bundle))["verdict"] == "PASS"
    assert said(capsys, "evidence", "journal")["verdict"] == "PASS"
    bundle.write_bytes(bundle.read_bytes().replace(b'"PROMOTE"', b'"HOLDING"'))
    assert said(capsys, "evidence", "verify", str(bundle), code=1)["verdict"] == "FAIL"
    assert opened.entry("front@champion").onnx_sha256 == models["candidate"]


def test_a_file_that_is_no_bundle_is_a_wrong_call(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "notes.zip"
    place.write_text("a shopping list")
    found = said(capsys, "evidence", "verify", str(place), "--replay", code=2)
    assert (found["verdict"], found["problems"]) == ("NO BUNDLE", [])
    assert main(["evidence", "verify", str(place)]) == 2
    assert "is no evidence bundle: it is a text" in capsys.readouterr().out
    assert "is no file" in said(capsys, "evidence", "verify", str(tmp_path / "nowhere.zip"), code=2)["error"]


def test_a_stranger_trusts_nobody_until_told(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(home, **BETTER)
    bundle = str(tmp_path / "e.zip")
    assert main(["evidence", "bundle", "last", "--out", bundle]) == 0
    keyid = KeyRing(home).bench().key.keyid
    assert main(["keys", "export", "bench", "--out", str(tmp_path / "bench.json")]) == 0
    for name in ("journal", "keys", "decisions"):
        (home / name).rename(home / f"{name}-of-another")

    assert said(capsys, "evidence", "verify", bundle, code=3)["verdict"] == "INCONCLUSIVE"
    assert said(capsys, "evidence", "verify", bundle, "--trust", keyid)["verdict"] == "PASS"
    assert main(["keys", "trust", str(tmp_path / "bench.json"), "--id", "0" * 16]) == 2
    assert main(["keys", "trust", str(tmp_path / "bench.json"), "--id", keyid[:16]]) == 0
    assert said(capsys, "evidence", "verify", bundle)["verdict"] == "PASS"


def test_who_trusts_a_person_and_not_the_bench_is_told_whose_key_is_missing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(home, **BETTER)
    assert main(["keys", "new", "ada"]) == 0
    assert main(["sign", "last", "--key", "ada"]) == 0
    bundle, key = str(tmp_path / "e.zip"), tmp_path / "ada.pub.json"
    assert main(["evidence", "bundle", "last", "--out", bundle]) == 0
    assert main(["keys", "export", "ada", "--out", str(key)]) == 0

    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "other bench"))
    found = said(capsys, "evidence", "verify", bundle, "--trust", str(key), code=3)

    assert found["verdict"] == "INCONCLUSIVE"
    wanted = (
        "ada signed the decision, not manifest.json, which holds the hash of every file; trust a key that did (bench)"
    )
    assert wanted in found["notes"]


def test_another_bench_checks_what_this_one_signed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(home, **BETTER)
    assert main(["keys", "new", "ada"]) == 0
    bundle, key = str(tmp_path / "e.zip"), tmp_path / "ada.pub.json"
    assert main(["evidence", "bundle", "last", "--out", bundle, "--key", "ada"]) == 0
    assert main(["keys", "export", "ada", "--out", str(key)]) == 0
    told = json.loads(key.read_text())["keyid"]

    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "other bench"))
    assert said(capsys, "evidence", "verify", bundle, code=3)["verdict"] == "INCONCLUSIVE"
    assert main(["keys", "trust", str(key), "--id", told[:16]]) == 0
    assert said(capsys, "evidence", "verify", bundle)["verdict"] == "PASS"
    assert [(one["name"], one["own"]) for one in said(capsys, "keys", "list")["keys"] if one["name"] != "bench"] == [
        ("ada", False)
    ]
    Path(bundle).write_bytes(Path(bundle).read_bytes().replace(b'"PROMOTE"', b'"HOLDING"'))
    assert said(capsys, "evidence", "verify", bundle, code=1)["verdict"] == "FAIL"


def test_runs_in_the_folder_of_a_campaign_are_found(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = record(home, **BETTER)
    campaign = home / "runs" / "campaign"
    campaign.mkdir()
    for run in made.runs:
        (home / "runs" / run).rename(campaign / run)
    assert main(["evidence", "bundle", "last", "--out", str(tmp_path / "e.zip")]) == 0
    page = tmp_path / "decision.html"
    assert main(["report", "last", "--decision", "--out", str(page)]) == 0
    assert "drive sha256" in page.read_text(encoding="utf-8")


class SystemKeyring(ModuleType):
    """Speaks the API of the package `keyring`: what a desktop keeps for its user, or refuses while it is locked."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False
        self.errors = ModuleType("keyring.errors")
        self.errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]

    def get_password(self, service_name: str, username: str) -> str | None:
        self._refuse_when_locked()
        return self.kept.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str) -> None:
        self._refuse_when_locked()
        self.kept[service_name, username] = password

    def _refuse_when_locked(self) -> None:
        if self.is_locked:
            raise self.errors.KeyringError("the collection is locked")


def test_the_keyring_of_the_system_keeps_a_passphrase(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desktop = SystemKeyring()
    monkeypatch.setitem(sys.modules, "keyring", desktop)
    record(home, **BETTER)
    assert main(["keys", "new", "ada", "--keyring"]) == 0
    assert desktop.kept == {("hilgui", "ada"): PASSPHRASE}
    monkeypatch.delenv("HILGUI_PASSPHRASE_FILE")  # nobody types, no file: only the keyring knows it
    assert said(capsys, "sign", "last", "--key", "ada")["agreed"] == ["ada"]
    assert PASSPHRASE not in "".join(path.read_text() for path in home.rglob("*.json*"))

    desktop.is_locked = True
    assert main(["keys", "new", "bob"]) == 2  # as without a keyring: somebody has to type
    monkeypatch.setenv("HILGUI_PASSPHRASE_FILE", str(home.parent / "passphrase"))
    assert "keyring of the system refuses" in said(capsys, "keys", "new", "bob", "--keyring", code=4)["error"]
    assert [key.name for key in KeyRing(home).all() if key.name == "bob"] == []


def test_without_the_keyring_no_key_is_made_for_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "hilgui[keyring]" in said(capsys, "keys", "new", "ada", "--keyring", code=2)["error"]
    assert KeyRing(home).all() == []


def test_one_person_rolls_back_and_the_incident_knows(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, models = stocked(home, tmp_path)
    registry(home).promote("front", by=("ada", "bob"), reason="test")
    incident = said(capsys, "incident", "open", "misses people", "--trigger", "regression")["id"]

    move = said(capsys, "models", "rollback", "front", "--reason", "misses people", "--incident", incident)

    assert opened.entry("front@champion").onnx_sha256 == models["baseline"]
    assert move["seconds"] < 60
    shown = said(capsys, "incident", "show", incident)
    assert shown["state"] == "CONTAINED"
    assert shown["times_s"]["contain_command"] < 5
    assert main(["incident", "move", incident, "closed"]) == 2
    for state in ("diagnosed", "rolled_back", "verified", "closed"):
        assert main(["incident", "move", incident, state, "--note", "done"]) == 0
    report = tmp_path / "post.md"
    assert main(["incident", "report", incident, "--out", str(report)]) == 0
    assert "rolled\\_back" in report.read_text(encoding="utf-8")
    assert said(capsys, "incident", "list")["incidents"] == []


def test_pins_and_policies(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(home, runs=2, **BETTER)
    rules = tmp_path / "policy.yaml"
    rules.write_text("schema: hilgui/retention.v1\nmax_total_gb: 0\n", encoding="utf-8")
    assert main(["runs", "pin", "last", "--reason", "course"]) == 0

    rows = said(capsys, "runs", "prune", "--policy", str(rules), "--yes")["runs"]

    assert [one["removed"] for one in rows] == [False, False]
    assert {one["kept_by"].split()[0] for one in rows} == {"decision", "pinned"}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (["sign", "last", "--key", "ada"], "there is no decision"),
        (["keys", "show", "nobody"], "there is no key nobody"),
        (["evidence", "bundle", "x", "--out", "e.zip"], "there is no decision"),
        (["incident", "open", "x", "--finding", "nonsense"], "write RUN#NUMBER"),
        (["incident", "open", "x", "--severity", "S9"], "is no severity"),
        (["models", "rollback", "front", "--reason", "x"], "has no last_good"),
        (["models", "alias", "front", "boss", "x"], "is no alias"),
    ],
)
def test_wrong_calls_get_one_sentence(
    home: Path, call: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(call) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.splitlines()) == 1


def test_without_a_terminal_a_passphrase_needs_a_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HILGUI_PASSPHRASE_FILE")
    assert main(["keys", "new", "ada"]) == 2
    assert "HILGUI_PASSPHRASE_FILE may name a file" in capsys.readouterr().err


@pytest.mark.slow
def test_from_drives_to_a_rollback_whose_clips_come_back(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that misses people is in production: the gate withdraws it, and anybody can play the proof again."""
    old, new = write_model(tmp_path / "old.onnx", 0.9), write_model(tmp_path / "new.onnx", 0.2)
    drives = [write_drive(tmp_path / f"drive{number}.mp4", 30 + number) for number in range(2)]
    for model in (old, new):
        assert main(["models", "import", str(model)]) == 0
    assert main(["models", "alias", "front", "champion", "old"]) == 0
    assert main(["models", "alias", "front", "candidate", "new"]) == 0
    assert main(["models", "golden", "front", str(drives[0])]) == 0
    for drive in drives:
        assert main(["replay", str(drive), "-b", str(old), "-c", str(new), "--json"]) in (0, 1, 3)
    registry_of = said(capsys, "models", "list")
    assert len(registry_of["aliases"]) == 2
    from hilgui.cli.recording import open_registry

    open_registry(load_settings()).promote("front", by=("ada", "bob"), reason="nobody looked")
    gate = tmp_path / "gate.yaml"
    text = GATE.replace("STAGE", "production").replace("BASELINE", "front@last_good")
    gate.write_text(text.replace("CANDIDATE", "front@champion"), encoding="utf-8")

    decided = said(capsys, "decide", str(gate), "--runs", str(home / "runs"), code=1)

    assert decided["action"] == "ROLL BACK"
    assert decided["recorded"]["trouble"] == ""
    assert decided["recorded"]["rollback"].startswith("slot front: champion is")
    incident = said(capsys, "incident", "show", decided["recorded"]["incident"])
    assert (incident["state"], incident["severity"], incident["late"]) == ("CONTAINED", "S2", [])
    assert incident["times_s"]["roll_back"] <= 60
    placed = open_registry(load_settings()).placed("front", Alias.CHAMPION)
    assert placed is not None
    assert open_registry(load_settings()).entry("old").sha256 == placed.sha256
    bundle = str(tmp_path / "e.zip")
    assert main(["evidence", "bundle", "last", "--out", bundle, "--with-models", "--cases", "2"]) == 0
    verified = said(capsys, "evidence", "verify", bundle, "--replay")
    assert [one["came_back"] for one in verified["replay"]] == [True, True]
    assert Decisions(home).find("last").runs
    assert [event["kind"] for event in said(capsys, "evidence", "journal", "--last", "100")["last"]].count("run") == 2
