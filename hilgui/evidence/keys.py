"""Keys of people and of the bench: Ed25519, private ones locked by a passphrase.

    keys/ada.json           public half, and the private half as encrypted PKCS#8
    keys/trusted/bob.json   public half of somebody else
    keys/bench.json         the key of this machine, without passphrase: it counts events, it never agrees to anything

The passphrase goes through scrypt (RFC 7914) with its own salt; what comes out locks the PKCS#8.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hilgui.durable import FileLock, write_whole
from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence.chain import public_key, sha256, strict_json

BENCH = "bench"
SHORTEST = 8  # letters of a passphrase
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SCRYPT = {"n": 1 << 15, "r": 8, "p": 1}  # 32 MiB, about 0.1 s
_SCRYPT_MEMORY = 64 << 20
_LOCK_S = 10.0
_SERVICE = "hilgui"  # in the keyring of the operating system


@dataclass(frozen=True, slots=True)
class Key:
    """The public half."""

    name: str
    keyid: str  # sha256 of its 32 bytes
    public: Ed25519PublicKey
    is_own: bool  # its private half is here

    def as_json(self) -> dict[str, Any]:
        """Give what `hilgui keys export` writes."""
        raw = base64.b64encode(self.public.public_bytes_raw()).decode()
        return {"schema": "hilgui/public-key.v1", "name": self.name, "keyid": self.keyid, "public": raw}


@dataclass(frozen=True, slots=True)
class Signer:
    """An unlocked key."""

    key: Key
    private: Ed25519PrivateKey


class KeyRing:
    """The folder of keys of a home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys"

    def refuse(self, name: str, passphrase: str) -> None:
        """Raise CallWrong where the name of a new key is taken or none, or its passphrase too short."""
        if not _NAME.fullmatch(name) or name == BENCH:
            raise CallWrong(f"{name!r} is no name of a key: small letters, digits, dots and dashes, and not {BENCH}")
        if len(passphrase) < SHORTEST:
            raise CallWrong(f"the passphrase has {len(passphrase)} letters; take at least {SHORTEST}")
        if any(one.name == name for one in self.all()):
            raise CallWrong(f"there is a key {name} already; take another name, or trust and use that one")

    def new(self, name: str, passphrase: str) -> Key:
        """Make a key of a person; raises CallWrong as `refuse` does."""
        self.refuse(name, passphrase)
        return self._write(name, passphrase)

    def bench(self) -> Signer:
        """Give the key of this machine, made at its first use."""
        path = self._folder / f"{BENCH}.json"
        if not path.exists():
            self._make_bench(path)
        return self.unlock(BENCH, "")

    def _make_bench(self, path: Path) -> None:
        """Make the key of this machine once, whoever else wants it at the same moment."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self._folder / "lock")
            deadline = time.monotonic() + _LOCK_S
            while not lock.take():
                if time.monotonic() > deadline:
                    raise EvidenceBroken("another process is making the key of the bench; try again", path=path)
                time.sleep(0.01)
        except OSError as failure:
            raise EvidenceBroken(f"{path} cannot be made: {failure.strerror or failure}", path=path) from failure
        try:
            if not path.exists():
                self._write(BENCH, None)
        finally:
            lock.release()

    def all(self) -> list[Key]:
        """List own and trusted keys by name; raises EvidenceBroken where one cannot be read."""
        own = [_read(path, is_own=True)[0] for path in sorted(self._folder.glob("*.json"))]
        trusted = [_read(path, is_own=False)[0] for path in sorted((self._folder / "trusted").glob("*.json"))]
        return sorted([*own, *trusted], key=lambda key: (key.name, key.keyid))

    def find(self, wanted: str) -> Key:
        """Find a key by its name or the beginning of its id; raises CallWrong."""
        found = [key for key in self.all() if wanted == key.name or (len(wanted) >= 8 and key.keyid.startswith(wanted))]
        if len(found) == 1:
            return found[0]
        what = f"{len(found)} keys fit {wanted}" if found else f"there is no key {wanted}"
        raise CallWrong(f"{what}; `hilgui keys list` shows what there is, `hilgui keys new NAME` makes one")

    def trust(self, path: Path) -> Key:
        """Keep the public key of somebody else, who told its id another way; raises EvidenceBroken."""
        key, _ = _read(path, is_own=False)
        if not _NAME.fullmatch(key.name):
            raise EvidenceBroken(f"{path} is the key of {key.name[:60]!r}, which is no name of a key", path=path)
        same = [one for one in self.all() if one.name == key.name and key.name != BENCH]
        if any(one.keyid != key.keyid for one in same):
            raise CallWrong(f"another key is called {key.name}; one name, one person: let one of them be made anew")
        if not same:
            name = key.name if key.name != BENCH else f"{BENCH}-{key.keyid[:12]}"
            self._put(self._folder / "trusted" / f"{name}.json", key.as_json())
        return key

    def unlock(self, name: str, passphrase: str) -> Signer:
        """Open a key; raises CallWrong where there is none, EvidenceBroken for a wrong passphrase."""
        path = self._folder / f"{name}.json"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise CallWrong(f"there is no private key {name} here; `hilgui keys list` shows what there is")
        key, plain = _read(path, is_own=True)
        try:
            kdf = plain["kdf"]
            locked = str(plain["private"]).encode()
            password = None if kdf is None else _derive(passphrase, kdf)
            private = serialization.load_pem_private_key(locked, password)
        except (ValueError, KeyError, TypeError) as failure:
            raise EvidenceBroken(f"the passphrase does not open the key {name}; type it again", path=path) from failure
        if not isinstance(private, Ed25519PrivateKey) or private.public_key() != key.public:
            raise EvidenceBroken(f"{path} was changed: its two halves do not belong together", path=path)
        return Signer(key, private)

    def needs_passphrase(self, name: str) -> bool:
        """Say whether a key is locked."""
        path = self._folder / f"{name}.json"
        return path.is_file() and _read(path, is_own=True)[1].get("kdf") is not None

    def _write(self, name: str, passphrase: str | None) -> Key:
        private = Ed25519PrivateKey.generate()
        kdf = None if passphrase is None else {**_SCRYPT, "salt": secrets.token_hex(16)}
        lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None and kdf is not None:
            lock = serialization.BestAvailableEncryption(_derive(passphrase, kdf))
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
        public = private.public_key()
        key = Key(name, sha256(public.public_bytes_raw()), public, is_own=True)
        document = {**key.as_json(), "schema": "hilgui/key.v1", "kdf": kdf, "private": pem.decode()}
        self._put(self._folder / f"{name}.json", document)
        return key

    def _put(self, path: Path, document: dict[str, Any]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, (json.dumps(document, indent=1) + "\n").encode())  # mode 0600, as it is made
        except OSError as failure:
            raise EvidenceBroken(f"{path} cannot be written: {failure.strerror or failure}", path=path) from failure


def read_key(path: Path) -> Key:
    """Read the file of a public key; raises EvidenceBroken."""
    return _read(path, is_own=False)[0]


def from_system_keyring(name: str) -> str | None:
    """Ask the keyring of the operating system for a passphrase; None without the extra `keyring` or an answer."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    try:
        found = keyring.get_password(_SERVICE, name)
    except keyring.errors.KeyringError:
        return None
    return None if found is None else str(found)


def into_system_keyring(name: str, passphrase: str) -> None:
    """Keep a passphrase in the keyring of the operating system; raises CallWrong without the extra `keyring`."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError as failure:
        raise CallWrong("the keyring of the system needs: pip install 'hilgui[keyring]'") from failure
    try:
        keyring.set_password(_SERVICE, name, passphrase)
    except keyring.errors.KeyringError as failure:
        raise EvidenceBroken(f"the keyring of the system refuses: {failure}") from failure


def _derive(passphrase: str, kdf: dict[str, Any]) -> bytes:
    n, r, p = int(kdf["n"]), int(kdf["r"]), int(kdf["p"])
    if not (1 < n <= 1 << 17 and 1 <= r <= 16 and 1 <= p <= 4):
        raise ValueError("parameters of scrypt out of range")
    salt, memory = bytes.fromhex(kdf["salt"]), max(_SCRYPT_MEMORY, 256 * n * r)
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=32).hex().encode()


def _read(path: Path, *, is_own: bool) -> tuple[Key, dict[str, Any]]:
    try:
        if path.stat().st_size > 1 << 16:
            raise ValueError("too large for a key")
        plain = strict_json(path.read_bytes())
        name, keyid, public = public_key(plain)
    except (OSError, ValueError) as failure:
        raise EvidenceBroken(f"{path} cannot be read as a key: {failure}", path=path) from failure
    return Key(name, keyid, public, is_own), plain
