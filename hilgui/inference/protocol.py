"""What an adapter is: the knowledge how one family of networks is fed and how its tensors become an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from hilgui.inference.preprocess import Axes, Preprocess
from hilgui.inference.readings import Reading
from hilgui.records import Task

_MOST_SHOWN = 6
_LONGEST_SHOWN = 60

NUMPY_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(bool)": np.bool_,
}

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
class Picture:
    """The input that takes the picture; a side is None where the file leaves it open."""

    name: str
    width: int | None
    height: int | None
    axes: Axes
    is_single: bool = True  # the file says that there is one; False: any number, it will be given one


@dataclass(frozen=True, slots=True)
class Recognised:
    """What an adapter read from a signature, with its defaults; a model card may overrule all but `picture`.

    `count` is None where the file leaves it open. `names` are the class names that the file or the family's usual
    training set gives, empty where neither does; a task without classes (`needs_names` False) may leave them out.
    """

    picture: Picture
    count: int | None  # classes in the outputs
    names: tuple[str, ...]
    preprocess: Preprocess
    threshold: float  # score from which a detection is shown, counted and judged
    nms_iou: float | None  # None: the network gives no duplicates
    task: Task = Task.DETECTION
    needs_names: bool = True


class Parameters(BaseModel):
    """What a card may say to one adapter under `parameters`; an adapter that takes any has a subclass of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


NO_PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True)
class Layout:
    """What is settled once card and signature agree; an adapter is made for one layout."""

    signature: Signature
    image: str
    width: int
    height: int
    count: int
    names: tuple[str, ...] = ()
    parameters: Any = NO_PARAMETERS  # of the adapter's own type


class Adapter(Protocol):
    """Made once per model, used by several threads at a time: it keeps nothing of a frame.

    Announced by the entry point group `hilgui.model_adapters`.
    """

    name: ClassVar[str]
    parameters: ClassVar[type[Parameters]]

    @classmethod
    def recognise(cls, signature: Signature, *, named: bool, parameters: Any = ...) -> Recognised | Refusal:
        """Say whether this adapter reads the outputs; looks at nothing but the signature and the card.

        `named`: the operator chose this adapter in a card, so what the file leaves open is believed to fit. Without
        it only what is certain is accepted. `parameters`: an object of the adapter's `parameters`, from the card.
        """
        ...

    def __init__(self, layout: Layout) -> None: ...

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give every input of the network; `tensor` is the picture as the input declares it, always the same array."""
        ...

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Reading:
        """Read the outputs, in the order of the signature; raises ValueError where their shapes do not fit.

        A detector gives Candidates, other tasks the reading of their kind; all in pixels of the input.
        """
        ...


def picture_input(signature: Signature, *, beside: tuple[str, ...] = ()) -> Picture | Refusal:
    """Find the input that takes one picture as float32, channels first or last; `beside` may be inputs next to it."""
    pictures = [each for each in signature.inputs if each.name not in beside]
    if len(pictures) != 1:
        return Refusal(f"it has {len(pictures)} inputs, one picture is expected")
    picture = pictures[0]
    if len(picture.shape) != 4:
        return Refusal(f"its input {picture} is no picture of four axes")
    if picture.dtype != "tensor(float)":
        return Refusal(f"its input {picture.name} is {picture.dtype}, not float32", close=True)
    batch, first, second, third = picture.shape
    if isinstance(batch, int) and batch > 1:
        return Refusal(f"its batch is {batch}, hilgui gives one picture at a time", close=True)
    if first == 3 or not isinstance(first, int):
        return Picture(picture.name, fixed(third), fixed(second), "nchw", batch == 1)
    if third == 3:
        return Picture(picture.name, fixed(second), fixed(first), "nhwc", batch == 1)
    return Refusal(f"its input {picture} has no axis of three colours")


def _listed(tensors: tuple[Tensor, ...]) -> str:
    more = f" and {len(tensors) - _MOST_SHOWN} more" if len(tensors) > _MOST_SHOWN else ""
    return ", ".join(str(each) for each in tensors[:_MOST_SHOWN]) + more


def _shown(name: str) -> str:
    """Make a name from an untrusted file fit for a sentence."""
    return name[:_LONGEST_SHOWN] if name.isprintable() else ascii(name[:_LONGEST_SHOWN])


def fixed(size: Dim) -> int | None:
    """Give a declared size, None where it varies."""
    return size if isinstance(size, int) and size > 0 else None
