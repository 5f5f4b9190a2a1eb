"""The gradient of an aim by the pixels of a picture, through preparation and network. Needs the extra `attacks`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.aims import Target, wishes
from hilgui.attacks.readout import Readout, reader_for
from hilgui.attacks.twin import Twin
from hilgui.inference import Model
from hilgui.inference.preprocess import Geometry, place


class Gradients:
    """White-box view of one model; one thread."""

    def __init__(self, model: Model) -> None:
        """Build the twin and check it against onnxruntime on a grey ramp; raises AttackBroken."""
        facts, self._wanted = model.facts, model.preprocess
        self._width, self._height = facts.input_width, facts.input_height
        self._twin = Twin(Path(facts.path))
        self._torch: Any = import_module("torch")
        self._functional: Any = import_module("torch.nn.functional")
        self._torch.set_num_threads(1)
        self._reader = reader_for(facts, self._twin.outputs)
        ramp = np.linspace(0, 255, self._height * self._width * 3).reshape(self._height, self._width, 3)
        feeds = model.feeds(ramp.astype(np.uint8), model.workspace())
        self._is_last = model.signature.inputs[0].shape[-1] == 3 and model.signature.inputs[0].shape[1] != 3
        self._picture = next(name for name, each in feeds.items() if each.dtype == np.float32 and each.ndim == 4)
        self._others = {
            name: self._torch.from_numpy(np.array(each)) for name, each in feeds.items() if name != self._picture
        }
        self.difference = self._twin.check(feeds)

    def of(self, image: NDArray[np.floating], target: Target) -> NDArray[np.float32]:
        """Give the gradient (H, W, 3) of the aim by a BGR picture (H, W, 3) of 0..255; boxes in its pixels."""
        leaf, read, outputs = self._forward(image, target)
        pulled = read.pull(wishes(read, self._placed(target, image.shape)))
        asked = [
            (out, pull) for out, pull in zip(outputs, pulled, strict=True) if pull is not None and out.requires_grad
        ]
        if not asked:
            return np.zeros(image.shape, np.float32)
        (gradient,) = self._torch.autograd.grad(
            [out for out, _ in asked], leaf, [self._torch.from_numpy(np.ascontiguousarray(pull)) for _, pull in asked]
        )
        found: NDArray[np.float32] = np.nan_to_num(gradient[0].permute(1, 2, 0).numpy())
        return found

    def _forward(self, image: NDArray[np.floating], target: Target) -> tuple[Any, Readout, list[Any]]:
        planes = np.ascontiguousarray(np.moveaxis(image, 2, 0)[None], np.float32)
        leaf = self._torch.from_numpy(planes).requires_grad_()
        outputs = self._twin.run({self._picture: self._prepared(leaf), **self._others})
        return leaf, self._reader([each.detach().numpy() for each in outputs]), outputs

    def _prepared(self, picture: Any) -> Any:
        """Do what `Workspace.fill` does, with a gradient."""
        wanted = self._wanted
        height, width = picture.shape[2:]
        geometry, wide, tall = place(width, height, self._width, self._height, wanted)
        resized = picture
        if (tall, wide) != (height, width):
            resized = self._functional.interpolate(picture, (tall, wide), mode="bilinear", align_corners=False)
        left, top = geometry.offset_x, geometry.offset_y
        if left < 0 or top < 0:
            resized = resized[:, :, -min(top, 0) :, -min(left, 0) :][:, :, : self._height, : self._width]
        right, bottom = self._width - max(left, 0) - resized.shape[3], self._height - max(top, 0) - resized.shape[2]
        padded = self._functional.pad(resized, (max(left, 0), right, max(top, 0), bottom), value=float(wanted.pad))
        ordered = padded if wanted.color == "bgr" else padded.flip(1)
        mean = self._torch.tensor(wanted.mean).reshape(1, 3, 1, 1)
        deviation = self._torch.tensor(wanted.std).reshape(1, 3, 1, 1)
        made = (ordered * wanted.scale - mean) / deviation
        return made.permute(0, 2, 3, 1) if self._is_last else made

    def _placed(self, target: Target, shape: tuple[int, ...]) -> Target:
        geometry, _, _ = place(shape[1], shape[0], self._width, self._height, self._wanted)
        return Target(target.goal, to_input(target.boxes, geometry), target.classes)


def to_input(boxes: NDArray[np.floating], geometry: Geometry) -> NDArray[np.float64]:
    """Bring boxes (N, 4) from the picture to the input."""
    scale = np.array([geometry.scale_x, geometry.scale_y] * 2)
    offset = np.array([geometry.offset_x, geometry.offset_y] * 2)
    placed: NDArray[np.float64] = np.asarray(boxes, np.float64).reshape(-1, 4) * scale + offset
    return placed
