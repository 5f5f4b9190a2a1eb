"""Execution providers: which are really there, what is missing, and how to get it.

onnxruntime falls back to the CPU without a word. A provider counts as in use when the session says so after it was
made, and when it took most of the time of one profiled run (`check_share`).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import logging
import sys
from pathlib import Path

import onnxruntime

from hilgui.errors import CallWrong, ProviderMissing
from hilgui.inference.device import cpu_name, gpu_name
from hilgui.inference.execution import CHAINS, COREML, CUDA, DIRECTML, LEAST_SHARE, OPENVINO, PROVIDERS, TENSORRT
from hilgui.inference.profile import Profile
from hilgui.records import provider_name

log = logging.getLogger(__name__)

_GET_CUDA = "install its libraries (pip install 'hilgui[cuda]') or run with --provider cpu"
_GET_TENSORRT = "install TensorRT (pip install tensorrt-cu13) beside 'hilgui[cuda]', or run with --provider cuda"
_GET = {
    CUDA: _GET_CUDA,
    TENSORRT: _GET_TENSORRT,
    DIRECTML: "on Windows put onnxruntime-directml in place of onnxruntime-gpu, or run with --provider cpu",
    COREML: "it is part of onnxruntime on macOS; elsewhere run with --provider cpu",
    OPENVINO: "install it (pip install 'hilgui[openvino]') or run with --provider cpu",
}

onnxruntime.set_default_logger_severity(4)  # providers complain on standard error about libraries; we ask and say


def device_name(provider: str) -> str:
    """Name the processor behind an execution provider."""
    return gpu_name() if provider in (CUDA, TENSORRT) else cpu_name()


def present() -> tuple[str, ...]:
    """Name the providers that are installed here, whether their hardware is there or not."""
    available = onnxruntime.get_available_providers()
    has_openvino = importlib.util.find_spec("openvino") is not None
    return tuple(
        name for name, chain in CHAINS.items() if chain[0] in available or (chain[0] == OPENVINO and has_openvino)
    )


def check_known(name: str) -> None:
    """Refuse a name that is no provider; raises CallWrong."""
    if name not in PROVIDERS:
        raise CallWrong(f"the provider {name!r} is not one of {', '.join(PROVIDERS)}; here are {', '.join(present())}")


def check_share(name: str, profile: Profile, file: str) -> None:
    """Refuse a provider that was asked for by name and took less than half of the time; raises ProviderMissing.

    A few shape operators on the CPU are sound; a network that mostly runs there was not asked for.
    """
    wanted = CHAINS.get(name, ("",))[0]
    share = profile.share
    if name in ("auto", "cpu", "openvino") or share.get(wanted, 0.0) >= LEAST_SHARE or not share:
        return
    other = max(share, key=lambda each: share[each])
    raise ProviderMissing(
        f"{name} was asked for, but {share[other]:.0%} of the node time of {file} is on {provider_name(other)} "
        f"({', '.join(profile.slowest(other))}): {provider_name(wanted)} has no version of these operators; "
        f"export the model without them, or run with --provider {'cuda' if name == 'tensorrt' else 'cpu'}"
    )


def load_libraries() -> None:
    """Load the CUDA libraries of pip packages, so that the provider finds them; what fails is logged."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            onnxruntime.preload_dlls()
    except RuntimeError:
        log.debug("CUDA libraries were not loaded", exc_info=True)
    for line in said.getvalue().splitlines():
        log.debug("onnxruntime: %s", line)


def what_is_missing(provider: str) -> str:
    """Say why a provider is not in use and how to get it, as the second half of a sentence."""
    if provider == OPENVINO:
        return f"the package openvino is not installed; {_GET[provider]}"
    if provider not in onnxruntime.get_available_providers():
        return f"this build of onnxruntime does not have it; {_GET[provider]}"
    if provider not in (CUDA, TENSORRT):
        return f"onnxruntime refused it without a reason; {_GET[provider]}"
    if not gpu_name():
        return (
            "no NVIDIA GPU with a working driver was found (nvidia-smi shows what the driver sees); "
            "install the driver, or run with --provider cpu"
        )
    library = _missing_library(provider)
    if library:
        return f"{library}; {_GET[provider]}"
    return f"onnxruntime refused it without a reason (too old a driver or GPU, most often); {_GET[provider]}"


def _missing_library(provider: str) -> str:
    """Load the provider's library by hand: the loader names what it lacks, onnxruntime does not."""
    stem = {CUDA: "onnxruntime_providers_cuda", TENSORRT: "onnxruntime_providers_tensorrt"}[provider]
    name = f"{stem}.dll" if sys.platform == "win32" else f"lib{stem}.so"
    library = Path(onnxruntime.__file__).parent / "capi" / name
    if not library.exists():
        return f"{name} is not part of the installed onnxruntime"
    try:
        ctypes.CDLL(str(library))
    except OSError as failure:
        said = str(failure)
        return "" if "undefined symbol" in said else said
    return ""
