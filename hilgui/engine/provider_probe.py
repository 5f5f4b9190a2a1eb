"""Tries the execution providers for real, in a process of its own: a driver that crashes takes nobody along."""

from __future__ import annotations

import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from hilgui.processes import unheard_interrupts

PROBE_TIMEOUT_S = 60.0  # TensorRT builds its engine first

# A convolution of x and w, both 1x1x3x3 float32, without padding (opset 13): the smallest model that needs cuDNN.
# onnx.helper made it; the test beside this file's makes it again and compares.
PROBE_MODEL = bytes.fromhex(
    "08083a6f0a0f0a01780a01771201792204436f6e76120570726f62655a1b0a017812160a14080112100a0208010a0208"
    "010a0208030a0208035a1b0a017712160a14080112100a0208010a0208010a0208030a020803621b0a017912160a1408"
    "0112100a0208010a0208010a0208010a02080142040a00100d"
)
PROBE_RESULT = 9.0  # nine ones times nine ones


def probe(providers: list[str], timeout_s: float = PROBE_TIMEOUT_S) -> dict[str, str]:
    """Run the probe model on each provider; give the reason why it cannot be used, empty where it can.

    Blocks for at most `timeout_s` a provider; one that did not answer until then says so, the rest are not tried.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, providers), name="provider probe")
    reasons: dict[str, str] = {}
    end = f"gave no answer within {timeout_s:.0f} s"
    with unheard_interrupts():
        process.start()
    there.close()
    try:
        while len(reasons) < len(providers) and here.poll(timeout_s):
            provider, reason = here.recv()
            reasons[provider] = reason
    except EOFError:
        process.join(timeout_s)
        end = f"crashed the process that tried it (exit code {process.exitcode})"
    finally:
        here.close()
        process.join(1.0)
        if process.is_alive():
            process.kill()
            process.join()
    for provider in providers:
        if provider not in reasons:
            reasons[provider] = end
            end = "was not tried: the one before it ended the test"
    return reasons


def _answer(there: Connection, providers: list[str]) -> None:
    """Try one provider after the other and send (provider, reason); runs in the child process."""
    with there, tempfile.TemporaryDirectory(prefix="hilgui-probe-") as folder:
        model = Path(folder) / "probe.onnx"
        model.write_bytes(PROBE_MODEL)
        for provider in providers:
            there.send((provider, _try(provider, model)))


def _try(provider: str, model: Path) -> str:
    import numpy as np

    from hilgui.errors import HilguiError
    from hilgui.inference.session import Session

    ones = np.ones((1, 1, 3, 3), np.float32)
    try:
        session = Session(model, provider=provider, threads=1, spinning=False)
        (result,) = session.run({"x": ones, "w": ones})
    except HilguiError as failure:
        return str(failure)
    if abs(float(result.item()) - PROBE_RESULT) > 1e-3:
        return f"computes wrongly: {result.item()} where {PROBE_RESULT} is right"
    return ""
