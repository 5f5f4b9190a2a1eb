"""What an adapter is: the knowledge how one family of networks is fed and how its tensors become boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import Candidates
from hilgui.inference.preprocess import Preprocess

_MOST_SHOWN = 6
_LONGEST_SHOWN = 60

Dim = int | str | None  # a size, the name of a size that varies, or nothing


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output as the model file declares it."""

    name: str
    shape: tuple[Dim, ...]
    dtype: str  # as onnxruntime writes it: "tensor(float)"

    def __str__(self) -> str:
        sizes = " x ".join("?" if size is None else _shown(str(size)) for size in self.shape)
        return f"{_shown(self.name)} ({sizes or 'one number'})"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model file says about itself; all that an adapter is recognised by."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: dict[str, str] = field(default_factory=dict)  # untrusted text

    def __str__(self) -> str:
        return f"inputs {_listed(self.inputs)}; outputs {_listed(self.outputs)}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an adapter does not fit; `close` when a person might have expected it to."""

    why: str
    close: bool = False


@dataclass(frozen=True, slots=True)
class Recognised:
    """What an adapter read from a signature, with its defaults; a model card may overrule all but `image`.

    `width`, `height` and `count` are None where the file leaves them open. `names` are the class names that the file
    or the family's usual training set gives, empty where neither does.
    """

    image: str  # name of the input that takes the picture
    width: int | None
    height: int | None
    count: int | None  # classes in the outputs
    names: tuple[str, ...]
    preprocess: Preprocess
    threshold: float  # score from which a detection is shown, counted and judged
    nms_iou: float | None  # None: the network gives no duplicates


@dataclass(frozen=True, slots=True)
class Layout:
    """What is settled once card and signature agree; an adapter is made for one layout."""

    signature: Signature
    image: str
    width: int
    height: int
    count: int


class Adapter(Protocol):
    """Made once per model, used by several threads at a time: it keeps nothing of a frame.

    Announced by the entry point group `hilgui.model_adapters`.
    """

    name: ClassVar[str]

    @classmethod
    def recognise(cls, signature: Signature, *, named: bool) -> Recognised | Refusal:
        """Say whether this adapter reads the outputs; looks at nothing but the signature.

        `named`: the operator chose this adapter in a card, so sizes that the file leaves open are believed to fit.
        Without it only what is certain is accepted.
        """
        ...

    def __init__(self, layout: Layout) -> None: ...

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give every input of the network; `tensor` (1, 3, height, width) is the picture and stays the same array."""
        ...

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Read the outputs, in the order of the signature; raises ValueError where their shapes do not fit."""
        ...


def picture_input(signature: Signature) -> Tensor | Refusal:
    """Find the input that takes one picture, batch 1, channels first, as float32."""
    pictures = [each for each in signature.inputs if len(each.shape) == 4]
    if len(pictures) != 1:
        return Refusal(f"it has {len(pictures)} inputs with four axes, a detector has one picture")
    picture = pictures[0]
    batch, channels = picture.shape[:2]
    if picture.dtype != "tensor(float)":
        return Refusal(f"its input {picture.name} is {picture.dtype}, not float32", close=True)
    if isinstance(batch, int) and batch != 1:
        return Refusal(f"its batch is {batch}, hilgui gives one picture at a time", close=True)
    if isinstance(channels, int) and channels != 3:
        return Refusal(f"its input {picture} is not batch x 3 x height x width")
    return picture


def _listed(tensors: tuple[Tensor, ...]) -> str:
    more = f" and {len(tensors) - _MOST_SHOWN} more" if len(tensors) > _MOST_SHOWN else ""
    return ", ".join(str(each) for each in tensors[:_MOST_SHOWN]) + more


def _shown(name: str) -> str:
    """Make a name from an untrusted file fit for a sentence."""
    return name[:_LONGEST_SHOWN] if name.isprintable() else ascii(name[:_LONGEST_SHOWN])


def fixed(size: Dim) -> int | None:
    """Give a declared size, None where it varies."""
    return size if isinstance(size, int) and size > 0 else None
