"""The forms that evidence is hashed and signed in: canonical JSON, the chain of events, DSSE envelopes.

This module becomes a part of the script in every bundle: nothing here needs hilgui.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIRST = "0" * 64  # what the first event calls its predecessor
CHECKPOINT = "application/vnd.hilgui.checkpoint+json"
IN_TOTO = "application/vnd.in-toto+json"
MOST_PROBLEMS = 20


def canonical(value: Any) -> bytes:
    """Write a value in the one form that is hashed; raises ValueError for NaN and for what is no JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(content: bytes) -> str:
    """Give the hash in hex."""
    return hashlib.sha256(content).hexdigest()


def event_hash(event: dict[str, Any]) -> str:
    """Give the hash of an event: of everything in it but `hash`."""
    return sha256(canonical({name: value for name, value in event.items() if name != "hash"}))


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes that a DSSE signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def strict_json(content: bytes) -> Any:
    """Read JSON; raises ValueError for NaN, a key that is given twice, text that is no UTF-8."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is given twice")
        return found

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is no number")

    try:
        return json.loads(content.decode(), object_pairs_hook=once, parse_constant=refuse)
    except RecursionError as failure:
        raise ValueError("nested too deep") from failure


@dataclass
class Chain:
    """What a journal holds, and what is wrong with it."""

    events: list[dict[str, Any]] = field(default_factory=list)
    head: str = FIRST
    problems: list[str] = field(default_factory=list)


def check_chain(lines: Iterator[bytes], name: str = "events.jsonl") -> Chain:
    """Follow the chain of hashes from its first event."""
    chain = Chain()
    for number, line in enumerate(lines, 1):
        try:
            event = strict_json(line)
            if not isinstance(event, dict):
                raise ValueError("no event")
            claimed = str(event["hash"])
            what = f"{name} line {number} ({event.get('kind')}, {event.get('at')})"
            if event_hash(event) != claimed or canonical(event) != line:
                chain.problems.append(f"{what} was changed: it does not fit its hash")
            elif event.get("previous") != chain.head or event.get("seq") != number - 1:
                chain.problems.append(f"{what} does not follow the line before: something was removed, added or moved")
        except (ValueError, KeyError, TypeError) as failure:
            chain.problems.append(f"{name} line {number} was changed: it is no event ({failure})")
            return chain
        chain.events.append(event)
        chain.head = claimed
        if len(chain.problems) >= MOST_PROBLEMS:
            break
    return chain


def public_key(plain: Any) -> tuple[str, str, Ed25519PublicKey]:
    """Read a public key: name, key id, key; raises ValueError."""
    try:
        raw = base64.b64decode(plain["public"], validate=True)
        if sha256(raw) != plain["keyid"]:
            raise ValueError("its key id does not fit")
        return str(plain["name"]), str(plain["keyid"]), Ed25519PublicKey.from_public_bytes(raw)
    except (KeyError, TypeError, binascii.Error) as failure:
        raise ValueError(f"no public key: {failure!r}") from failure


def open_envelope(envelope: Any, keys: dict[str, Ed25519PublicKey], wanted: str) -> tuple[bytes, list[str]]:
    """Give the payload of a DSSE envelope and the ids of the keys that signed it; raises ValueError.

    Every signature has to be good, and the envelope has to be in the form in which it was written.
    """
    try:
        if envelope["payloadType"] != wanted:
            raise ValueError(f"its type is {envelope['payloadType']!r}")
        payload = base64.b64decode(envelope["payload"], validate=True)
        if base64.b64encode(payload).decode() != envelope["payload"] or set(envelope) != {
            "payload", "payloadType", "signatures",
        }:  # fmt: skip
            raise ValueError("it is not in the form in which it was written")
        signers: list[str] = []
        for one in envelope["signatures"]:
            keyid, signature = one["keyid"], base64.b64decode(one["sig"], validate=True)
            if set(one) != {"keyid", "sig"} or base64.b64encode(signature).decode() != one["sig"]:
                raise ValueError("a signature is not in the form in which it was written")
            if keyid in signers:
                raise ValueError(f"the key {keyid[:12]} signed twice")
            if keyid not in keys:
                raise ValueError(f"the key {str(keyid)[:12]} that signed it is not known")
            keys[keyid].verify(signature, pre_authentication(wanted, payload))
            signers.append(keyid)
    except InvalidSignature as failure:
        raise ValueError(f"the signature of key {keyid[:12]} does not fit") from failure
    except (KeyError, TypeError, binascii.Error, AttributeError) as failure:
        raise ValueError(f"no envelope: {failure!r}") from failure
    if not signers:
        raise ValueError("nobody signed it")
    return payload, signers


def check_checkpoint(payload: bytes, events: list[dict[str, Any]], number: int) -> Iterator[str]:
    """Compare a checkpoint with the journal."""
    point = strict_json(payload)
    count, head = point["count"], point["head"]
    if count > len(events):
        yield (
            f"the tail of the journal was removed: checkpoint {number} of {point['at']} saw {count} events, "
            f"{len(events)} are there"
        )
    elif count < 1 or events[count - 1]["hash"] != head:
        yield f"the journal was rewritten: checkpoint {number} of {point['at']} saw another event {count}"
