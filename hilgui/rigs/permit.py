"""What keeps a rig from being armed: the case against what is really there."""

from __future__ import annotations

from collections.abc import Mapping

from hilgui.rigs.messages import ArmingCase, Attested


def unproven(
    case: ArmingCase,
    *,
    needs_engine: bool,
    has_engine: bool,
    attested: Attested | None,
    profile_sha256: str,
    identities: Mapping[str, str],
) -> tuple[str, ...]:
    """Compare what the case was written for with what engine, profile and devices say; empty when all agree."""
    unmet = []
    if needs_engine and not has_engine:
        unmet.append("a run needs its engine, and none is connected")
    elif has_engine and not needs_engine:
        unmet.append("an engine is connected, so its heartbeat is needed too; manual moves are for a rig without a run")
    if needs_engine and has_engine:
        unmet += _wrong_model(case, attested)
    if case.profile_sha256 and case.profile_sha256 != profile_sha256:
        unmet.append("the case was written for another rig profile")
    for device, wanted in case.identities:
        found = identities.get(device, "nothing")
        if wanted not in found:
            unmet.append(f"{device} is {found}, and the case wants {wanted}")
    return tuple(unmet)


def _wrong_model(case: ArmingCase, attested: Attested | None) -> list[str]:
    if attested is None:
        return ["the engine has not said which model it runs on which provider"]
    unmet = []
    if not case.model_sha256 or not case.provider:
        unmet.append("the case does not say which model it was written for and on which provider")
    elif case.model_sha256 != attested.model_sha256:
        wanted, found = case.model_sha256[:12], attested.model_sha256[:12]
        unmet.append(f"the engine runs the model {found}, and the case wants {wanted}")
    elif case.provider != attested.provider:
        unmet.append(f"the model runs on {attested.provider}, and the case wants {case.provider}")
    return unmet
