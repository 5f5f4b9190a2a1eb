"""Signed statements: DSSE envelopes, and what they say in the words of in-toto."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from hilgui.evidence.chain import IN_TOTO, canonical, pre_authentication
from hilgui.evidence.keys import Signer

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


def seal(payload_type: str, value: Any, signers: Sequence[Signer]) -> dict[str, Any]:
    """Put the canonical JSON of a value into an envelope with a signature of each signer."""
    payload = base64.b64encode(canonical(value)).decode()
    envelope = {"payloadType": payload_type, "payload": payload, "signatures": []}
    for signer in signers:
        envelope = countersign(envelope, signer)
    return envelope


def countersign(envelope: dict[str, Any], signer: Signer) -> dict[str, Any]:
    """Give the envelope with one more signature."""
    payload = base64.b64decode(envelope["payload"])
    signature = signer.private.sign(pre_authentication(envelope["payloadType"], payload))
    added = {"keyid": signer.key.keyid, "sig": base64.b64encode(signature).decode()}
    return {**envelope, "signatures": [*envelope["signatures"], added]}


def result_statement(subjects: Mapping[str, str], result: str, **more: Sequence[str]) -> dict[str, Any]:
    """Make an in-toto statement of a test result (PASSED, WARNED, FAILED) about things by name and sha256.

    `more`: passedTests, warnedTests, failedTests, as the predicate has them; `configuration` by name and sha256 is a
    subject whose name begins with "specification".
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": result,
            "configuration": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(subjects.items())
                if name.startswith("specification")
            ],
            **{name: list(tests) for name, tests in more.items()},
        },
    }


def seal_statement(statement: dict[str, Any], signers: Sequence[Signer]) -> dict[str, Any]:
    """Sign an in-toto statement."""
    return seal(IN_TOTO, statement, signers)
