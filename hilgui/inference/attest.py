"""Writes down what ran a model, from the session itself and the profile of one run."""

from __future__ import annotations

from hilgui.inference.device import gpu_driver
from hilgui.inference.execution import CUDA, TENSORRT
from hilgui.inference.profile import Profile
from hilgui.inference.session import AnySession
from hilgui.records import Attestation


def attest(session: AnySession, profile: Profile) -> Attestation:
    """Give the attestation of a session that was profiled."""
    return Attestation(
        nodes=profile.nodes,
        share=profile.share,
        precision=session.precision,
        driver=gpu_driver() if session.provider in (CUDA, TENSORRT) else "",
        libraries=session.libraries,
        options=session.options,
    )
