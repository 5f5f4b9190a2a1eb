"""Every error that hilgui raises on purpose.

    HilguiError
    ├── CallWrong            the call cannot be understood: unknown class name, two runs expected, one given
    └── BenchBroken          the bench cannot do the work
        ├── SourceBroken     recording missing, truncated, not a recording
        ├── TruthBroken      label file missing, a comma lost, boxes without a category
        ├── ModelBroken      not an ONNX file, tensors that no adapter knows, card that contradicts the file
        │   ├── MemoryExhausted  the GPU has no room for one more buffer
        │   └── InferenceHung    a picture was not done in time; the run options ended it
        ├── ProviderMissing  CUDA was asked for and the runtime fell back to the CPU
        ├── RegistryBroken   a model in the registry whose bytes changed, an alias that points nowhere
        ├── GateBroken       a gate specification with a mistake, a metric that no run has
        ├── EvidenceBroken   a journal whose chain is cut, a decision that was edited, a key that does not open
        ├── WaiversBroken    file of known failures with an unknown kind, no owner, a date that is none
        ├── StoreBroken      run folder unreadable, disk full, a run that another process is writing
        ├── EngineLost       the engine process died or fell silent
        ├── RigBroken        anything between the port and the device
        │   ├── RigTimeout       no answer in time, a write that the device does not take
        │   ├── RigLost          cable pulled, port gone; what became of the last command is unknown
        │   ├── RigBusy          another program has the port
        │   ├── RigGarbled       a line without end, a wrong checksum, bytes that are no answer
        │   ├── RigRefused       the device answered with an error, or the value is outside its range
        │   ├── RigIdentityWrong another device, another version, or none that can say what it is
        │   └── RigBlocked       the supervisor did not let a command through: state, cage, age
        ├── CaseBroken       a test case that cannot be read, with file and line; a step that the bench cannot take
        ├── ProfileBroken    a rig profile that cannot be read, with file and line
        ├── SupervisorLost   the rig supervisor ended or fell silent
        ├── AttackBroken     an attack that cannot be made: PyTorch is missing, a network without a gradient
        └── PluginBroken     a plug-in that does not import or raises

A red result (a missed pedestrian, a lost frame) is a value, never one of these.
"""

from __future__ import annotations

from pathlib import Path


class HilguiError(Exception):
    """Root of the tree: one sentence for the operator (what, which, what to try)."""

    exit_code = 4


class CallWrong(HilguiError):
    """The request contradicts itself or names something that does not exist."""

    exit_code = 2


class BenchBroken(HilguiError):
    """Something the bench needs is missing or damaged; `path` names it where it is a file."""

    def __init__(self, sentence: str, *, path: Path | None = None, line: int | None = None) -> None:
        """Keep the sentence for people and the fields for programs."""
        super().__init__(sentence)
        self.path = path
        self.line = line


class SourceBroken(BenchBroken):
    """A recording that cannot be opened or read to its end."""


class TruthBroken(BenchBroken):
    """A label file that cannot be read, or that belongs to another recording."""


class ModelBroken(BenchBroken):
    """A model file, or its card, that cannot be used."""


class MemoryExhausted(ModelBroken):
    """No memory for one picture; a session that is made anew may find it again."""


class InferenceHung(ModelBroken):
    """A picture that was not done in time and was ended through the run options."""


class ProviderMissing(BenchBroken):
    """The execution provider that was asked for is not the one that would run."""


class RegistryBroken(BenchBroken):
    """The registry of models is damaged, or a model in it is not what it was."""


class GateBroken(BenchBroken):
    """A gate that cannot be asked: its specification is wrong, or names what nobody measured."""


class EvidenceBroken(BenchBroken):
    """Evidence that cannot be trusted or written: a broken chain, an edited decision, a wrong passphrase."""


class WaiversBroken(BenchBroken):
    """A file of waivers that cannot be read: an unknown kind, no owner, a date that is none."""


class StoreBroken(BenchBroken):
    """A run folder that cannot be read or written."""


class EngineLost(BenchBroken):
    """The engine process ended without finishing its run."""


class RigBroken(BenchBroken):
    """Something between the port and the device; the fields say where and what went over the wire."""

    def __init__(self, sentence: str, *, port: str = "", sent: bytes = b"", got: bytes = b"") -> None:
        """Keep the sentence for people and the fields for programs."""
        super().__init__(sentence)
        self.port = port
        self.sent = sent
        self.got = got


class RigTimeout(RigBroken, TimeoutError):
    """A device that did not answer, or did not take what was written, within its deadline."""


class RigLost(RigBroken):
    """A port that went away; whether the last command was carried out is unknown."""


class RigBusy(RigBroken):
    """A port that another program holds."""


class RigGarbled(RigBroken):
    """Bytes that are no answer: a line without end, a wrong checksum, another protocol or baud rate."""


class RigRefused(RigBroken):
    """A command that the device or its driver refuses: error answer, value out of range, unknown channel."""


class RigIdentityWrong(RigBroken):
    """A device that is not the one the profile names, or cannot say what it is."""


class RigBlocked(RigBroken):
    """A command that the supervisor did not let through; nothing was sent."""


class CaseBroken(BenchBroken):
    """A test case that cannot be read, or a step of it that the bench cannot take."""


class ProfileBroken(BenchBroken):
    """A rig profile that cannot be read or contradicts itself; `path` and `line` name the place."""


class SupervisorLost(BenchBroken):
    """The rig supervisor ended or does not answer; its devices stop by their dead-man."""


class PluginBroken(BenchBroken):
    """A plug-in that cannot be imported or broke its contract."""


class AttackBroken(BenchBroken):
    """An attack that cannot be made here, which says nothing about the model."""
