"""Keys: locked by a passphrase, one name for one person, nothing that opens by accident."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence import KeyRing, read_key
from tests.unit.evidence.bench import PASSPHRASE


def test_a_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    key = ring.new("ada", PASSPHRASE)

    assert ring.unlock("ada", PASSPHRASE).key == key
    with pytest.raises(EvidenceBroken, match="does not open the key ada"):
        ring.unlock("ada", PASSPHRASE + " ")


def test_the_private_half_is_nowhere_in_the_clear(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.new("ada", PASSPHRASE)
    text = (tmp_path / "keys" / "ada.json").read_text()

    private = ring.unlock("ada", PASSPHRASE).private.private_bytes_raw()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in text
    assert private.hex() not in text
    if sys.platform != "win32":
        assert (tmp_path / "keys" / "ada.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "passphrase", "said"),
    [
        ("Ada!", PASSPHRASE, "no name of a key"),
        ("../ada", PASSPHRASE, "no name of a key"),
        ("bench", PASSPHRASE, "no name of a key"),
        ("ada", "short", "at least 8"),
        ("bob", PASSPHRASE, "is a key bob already"),
    ],
)
def test_a_wrong_name_or_passphrase_is_refused(tmp_path: Path, name: str, passphrase: str, said: str) -> None:
    KeyRing(tmp_path).new("bob", PASSPHRASE)
    with pytest.raises(CallWrong, match=said):
        KeyRing(tmp_path).new(name, passphrase)


def exported(home: Path, name: str) -> Path:
    ring = KeyRing(home)
    path = home / f"{name}.pub.json"
    path.write_text(json.dumps(ring.new(name, PASSPHRASE).as_json()))
    return path


def test_a_trusted_key_is_known_and_signs_nothing_here(tmp_path: Path) -> None:
    here = KeyRing(tmp_path / "here")
    key = here.trust(exported(tmp_path / "there", "bob"))

    assert [(one.name, one.is_own) for one in here.all()] == [("bob", False)]
    assert here.find(key.keyid[:16]).name == "bob"
    with pytest.raises(CallWrong, match="no private key bob"):
        here.unlock("bob", PASSPHRASE)


def test_two_keys_do_not_share_a_name(tmp_path: Path) -> None:
    here = KeyRing(tmp_path / "here")
    here.trust(exported(tmp_path / "there", "bob"))
    with pytest.raises(CallWrong, match="one name, one person"):
        here.trust(exported(tmp_path / "elsewhere", "bob"))


@pytest.mark.parametrize("content", ["", "no json", '{"name":"x"}', '{"public":"AAAA","keyid":"0","name":"x"}', "[1]"])
def test_a_file_that_is_no_key_gets_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(EvidenceBroken, match="cannot be read as a key"):
        read_key(path)


def test_halves_that_do_not_belong_together_are_found(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.new("ada", PASSPHRASE)
    ring.new("bob", PASSPHRASE)
    ada, bob = (json.loads((tmp_path / "keys" / f"{name}.json").read_text()) for name in ("ada", "bob"))
    swapped = {**ada, "private": bob["private"], "kdf": bob["kdf"]}
    (tmp_path / "keys" / "ada.json").write_text(json.dumps(swapped))

    with pytest.raises(EvidenceBroken, match="do not belong together"):
        ring.unlock("ada", PASSPHRASE)
