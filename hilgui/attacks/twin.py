"""The twin of a model: its graph run by PyTorch, so that gradients can be asked for; checked against onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import AttackBroken
from hilgui.inference.execution import Execution
from hilgui.inference.onnx_file import read_onnx
from hilgui.inference.session import open_session
from hilgui.inference.trust import check_outside

NEEDED = "pip install 'hilgui[attacks]' (PyTorch's CPU build does; torchvision is not needed)"
SLACK = 0.10  # share by which the twin may differ from the deployed model, of the largest output


def missing() -> str:
    """Name what white-box attacks lack here; empty where nothing is missing."""
    lacking = []
    for name in ("torch", "onnx"):
        try:
            import_module(name)
        except ImportError:
            lacking.append(name)
    return " and ".join(lacking)


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


class Twin:
    """One network as PyTorch computes it. One thread; weights stay as they are, only the input has a gradient."""

    def __init__(self, path: Path) -> None:
        """Read a model; raises AttackBroken where PyTorch is missing or an operator is not known."""
        lacking = missing()
        if lacking:
            raise AttackBroken(f"white-box attacks need {lacking}: {NEEDED}; square and patch work without")
        check_outside(path, read_onnx(path))
        onnx, self._torch = import_module("onnx"), import_module("torch")
        operators = import_module("hilgui.attacks.operators")
        self._run = operators.OPERATORS
        self._path = path
        whole = onnx.load(str(path))
        graph = whole.graph
        opset = next((each.version for each in whole.opset_import if each.domain in ("", "ai.onnx")), 17)
        self._constants = {each.name: self._tensor(onnx.numpy_helper.to_array(each)) for each in graph.initializer}
        self.inputs = tuple(each.name for each in graph.input if each.name not in self._constants)
        self.outputs = tuple(each.name for each in graph.output)
        self._steps = [self._step(onnx, node, opset) for node in graph.node]
        strange = sorted({step.kind for step in self._steps if step.kind not in self._run})
        if strange:
            raise AttackBroken(
                f"the gradient of {path.name} cannot be computed: its operators {', '.join(strange)} are not known; "
                "square and patch need no gradient",
                path=path,
            )
        self._last_use = {name: place for place, step in enumerate(self._steps) for name in step.inputs}

    def run(self, feeds: dict[str, Any]) -> list[Any]:
        """Run the network on tensors; gives tensors that remember how they came about."""
        values: dict[str, Any] = dict(feeds)
        for place, step in enumerate(self._steps):
            inputs = [values.get(name, self._constants.get(name)) if name else None for name in step.inputs]
            try:
                made = self._run[step.kind](inputs, step.attributes)
            except (NotImplementedError, RuntimeError, ValueError, KeyError, IndexError, TypeError) as failure:
                raise AttackBroken(
                    f"the gradient of {self._path.name} cannot be computed: {step.kind}: {failure}; "
                    "square and patch need no gradient",
                    path=self._path,
                ) from failure
            values.update(zip(step.outputs, made if isinstance(made, tuple) else (made,), strict=False))
            for name in step.inputs:
                if self._last_use[name] == place and name not in self.outputs:
                    values.pop(name, None)
        return [values[name] for name in self.outputs]

    def check(self, feeds: dict[str, NDArray[Any]]) -> float:
        """Compare with onnxruntime on one input; give the largest difference, as a share of the largest output.

        Raises AttackBroken where it is more than SLACK: gradients of another network would prove nothing.
        """
        session = open_session(self._path, Execution("cpu", "model", 1, False, False))
        theirs = session.run(feeds)
        with self._torch.no_grad():
            ours = self.run({name: self._tensor(values) for name, values in feeds.items()})
        worst = 0.0
        for one, two in zip(ours, theirs, strict=True):
            if two.dtype.kind != "f" or not two.size:
                continue
            mine = one.detach().numpy().reshape(two.shape)
            worst = max(worst, float(np.quantile(np.abs(mine - two), 0.99)) / max(float(np.abs(two).max()), 1e-9))
        if worst > SLACK:
            raise AttackBroken(
                f"PyTorch and onnxruntime differ by {worst:.0%} on {self._path.name}; its gradient would be that of "
                "another network, use square or patch",
                path=self._path,
            )
        return worst

    def _tensor(self, values: NDArray[Any]) -> Any:
        return self._torch.from_numpy(np.array(values))

    def _step(self, onnx: Any, node: Any, opset: int) -> _Step:
        attributes: dict[str, Any] = {"opset": opset, "outputs": len(node.output)}
        for each in node.attribute:
            value = onnx.helper.get_attribute_value(each)
            if isinstance(value, bytes):
                value = value.decode("ascii", "replace")
            elif each.type == onnx.AttributeProto.TENSOR:
                value = self._tensor(onnx.numpy_helper.to_array(value))
            elif isinstance(value, Sequence) and not isinstance(value, str):
                value = list(value)
            attributes[each.name] = value
        return _Step(node.op_type, tuple(node.input), tuple(node.output), attributes)
