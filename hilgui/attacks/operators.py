"""The operators of ONNX as functions of PyTorch, as far as our networks use them; gradients flow through all of them.

onnx2torch 1.5.15 refuses three of the four networks this was made for (Resize 18, GridSample 16, everything quantised)
and imports torchvision, so the operators stand here. Each takes (inputs, attributes), absent inputs are None. Quantised
tensors are held as numbers of their integer grid; rounding passes the gradient straight through (Bengio et al. 2013).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

torch: Any = import_module("torch")
functional: Any = import_module("torch.nn.functional")

Attributes = dict[str, Any]
Operator = Callable[[Sequence[Any], Attributes], Any]

_TYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
}


def _rounded(values: Any) -> Any:
    """Round, and let the gradient through as if nothing had happened."""
    return values + (torch.round(values) - values).detach()


def _shaped(parameter: Any, values: Any, axis: int) -> Any:
    """Bring a scale or zero point of one axis beside its values."""
    if parameter is None or parameter.numel() == 1:
        return 0.0 if parameter is None else parameter.reshape(()).to(torch.float32)
    sizes = [1] * values.dim()
    sizes[axis] = -1
    return parameter.to(torch.float32).reshape(sizes)


def _range(zero: Any) -> tuple[float, float]:
    return (-128.0, 127.0) if zero is not None and zero.dtype == torch.int8 else (0.0, 255.0)


def quantize(values: Any, scale: Any, zero: Any, axis: int = 1) -> Any:
    """Put values on the grid of a quantised tensor."""
    low, high = _range(zero)
    grid = _rounded(values / _shaped(scale, values, axis)) + _shaped(zero, values, axis)
    return torch.clamp(grid, low, high)


def dequantize(grid: Any, scale: Any, zero: Any, axis: int = 1) -> Any:
    """Read values from the grid."""
    values = grid.to(torch.float32)
    return (values - _shaped(zero, values, axis)) * _shaped(scale, values, axis)


def _pads(attributes: Attributes, values: Any, kernel: Sequence[int]) -> list[int]:
    """Give the pads of the last axes in PyTorch's order (last axis first)."""
    count = len(kernel)
    pads = list(attributes.get("pads", [0] * 2 * count))
    auto = attributes.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        strides = attributes.get("strides", [1] * count)
        dilations = attributes.get("dilations", [1] * count)
        pads = [0] * 2 * count
        for axis in range(count):
            size = values.shape[2 + axis]
            reach = (kernel[axis] - 1) * dilations[axis] + 1
            lack = max((-(-size // strides[axis]) - 1) * strides[axis] + reach - size, 0)
            small, large = lack // 2, lack - lack // 2
            pads[axis], pads[axis + count] = (small, large) if auto == "SAME_UPPER" else (large, small)
    return [pads[axis + side * count] for axis in reversed(range(count)) for side in (0, 1)]


def _conv(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, weights = inputs[0], inputs[1]
    padded = functional.pad(values, _pads(attributes, values, weights.shape[2:]))
    many = {3: functional.conv1d, 4: functional.conv2d, 5: functional.conv3d}[values.dim()]
    return many(
        padded,
        weights,
        inputs[2] if len(inputs) > 2 else None,
        stride=attributes.get("strides", 1),
        dilation=attributes.get("dilations", 1),
        groups=attributes.get("group", 1),
    )


def _conv_transpose(inputs: Sequence[Any], attributes: Attributes) -> Any:
    pads = attributes.get("pads", [0, 0, 0, 0])
    if pads[:2] != pads[2:]:
        raise NotImplementedError("ConvTranspose with pads that differ")
    return functional.conv_transpose2d(
        inputs[0],
        inputs[1],
        inputs[2] if len(inputs) > 2 else None,
        stride=attributes.get("strides", 1),
        padding=pads[:2],
        output_padding=attributes.get("output_padding", 0),
        groups=attributes.get("group", 1),
        dilation=attributes.get("dilations", 1),
    )


def _qlinear_conv(inputs: Sequence[Any], attributes: Attributes) -> Any:
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = inputs[:8]
    bias = None
    if len(inputs) > 8 and inputs[8] is not None:
        bias = inputs[8].to(torch.float32) * x_scale.reshape(()) * w_scale.reshape(-1)
    made = _conv([dequantize(x, x_scale, x_zero), dequantize(w, w_scale, w_zero, 0), bias], attributes)
    return quantize(made, y_scale, y_zero)


def _qlinear_matmul(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs
    made = dequantize(a, a_scale, a_zero) @ dequantize(b, b_scale, b_zero, b.dim() - 1)
    return quantize(made, y_scale, y_zero)


def _qlinear_add(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs
    return quantize(dequantize(a, a_scale, a_zero) + dequantize(b, b_scale, b_zero), y_scale, y_zero)


def _dynamic_quantize(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values = inputs[0]
    low, high = values.detach().min().clamp(max=0.0), values.detach().max().clamp(min=0.0)
    scale = ((high - low) / 255.0).clamp(min=1e-12)
    zero = torch.round(-low / scale).clamp(0, 255)
    grid = torch.clamp(_rounded(values / scale) + zero, 0, 255)
    return grid, scale.reshape(()), zero.reshape(())


def _minus_zero(values: Any, zero: Any, axis: int) -> Any:
    numbers = values.to(torch.float32)
    return numbers if zero is None else numbers - _shaped(zero, numbers, axis)


def _conv_integer(inputs: Sequence[Any], attributes: Attributes) -> Any:
    zeros = [*inputs[2:], None, None]
    return _conv([_minus_zero(inputs[0], zeros[0], 1), _minus_zero(inputs[1], zeros[1], 0)], attributes)


def _matmul_integer(inputs: Sequence[Any], attributes: Attributes) -> Any:
    zeros = [*inputs[2:], None, None]
    return _minus_zero(inputs[0], zeros[0], -1) @ _minus_zero(inputs[1], zeros[1], -1)


def _max_pool(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, kernel = inputs[0], attributes["kernel_shape"]
    padded = functional.pad(values, _pads(attributes, values, kernel), value=float("-inf"))
    return functional.max_pool2d(
        padded,
        kernel,
        attributes.get("strides", [1] * len(kernel)),
        dilation=attributes.get("dilations", 1),
        ceil_mode=bool(attributes.get("ceil_mode", 0)),
    )


def _average_pool(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, kernel = inputs[0], attributes["kernel_shape"]
    pads = _pads(attributes, values, kernel)
    strides, ceil = attributes.get("strides", [1] * len(kernel)), bool(attributes.get("ceil_mode", 0))
    total = functional.avg_pool2d(functional.pad(values, pads), kernel, strides, ceil_mode=ceil)
    if attributes.get("count_include_pad", 0) or not any(pads):
        return total
    share = functional.avg_pool2d(
        functional.pad(torch.ones_like(values[:1, :1]), pads), kernel, strides, ceil_mode=ceil
    )
    return total / share


def _resize(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values = inputs[0]
    given = [*inputs, None, None, None]
    scales, sizes = (given[1], None) if len(inputs) == 2 else (given[2], given[3])
    mode, where = attributes.get("mode", "nearest"), attributes.get("coordinate_transformation_mode", "half_pixel")
    if sizes is not None and sizes.numel():
        wanted = [int(size) for size in sizes.tolist()][2:]
    else:
        wanted = [int(size * scale) for size, scale in zip(values.shape, scales.tolist(), strict=True)][2:]
    if mode == "nearest":
        for axis, size in enumerate(wanted, start=2):
            values = values.index_select(axis, _nearest_places(values.shape[axis], size, where, attributes))
        return values
    if mode != "linear" or where not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise NotImplementedError(f"Resize {mode} {where}")
    return functional.interpolate(values, wanted, mode="bilinear", align_corners=where == "align_corners")


def _nearest_places(size: int, wanted: int, where: str, attributes: Attributes) -> Any:
    places = torch.arange(wanted, dtype=torch.float64)
    if where == "asymmetric":
        places = places * (size / wanted)
    elif where in ("half_pixel", "pytorch_half_pixel"):
        places = (places + 0.5) * (size / wanted) - 0.5
    else:
        raise NotImplementedError(f"Resize nearest {where}")
    rounding = attributes.get("nearest_mode", "round_prefer_floor")
    rounded = {
        "floor": torch.floor,
        "ceil": torch.ceil,
        "round_prefer_floor": lambda each: torch.ceil(each - 0.5),
        "round_prefer_ceil": lambda each: torch.floor(each + 0.5),
    }[rounding](places)
    return rounded.clamp(0, size - 1).to(torch.int64)


def _slice(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values = inputs[0]
    if len(inputs) > 1:
        starts, ends = inputs[1].tolist(), inputs[2].tolist()
        axes = inputs[3].tolist() if len(inputs) > 3 and inputs[3] is not None else list(range(len(starts)))
        steps = inputs[4].tolist() if len(inputs) > 4 and inputs[4] is not None else [1] * len(starts)
    else:
        starts, ends = attributes["starts"], attributes["ends"]
        axes, steps = attributes.get("axes", list(range(len(starts)))), [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(values.shape[axis])[slice(start, end if end > -(2**31) else None, step)]
        values = values.index_select(axis, torch.tensor(list(places), dtype=torch.int64))
    return values


def _reshape(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, wanted = inputs[0], inputs[1].tolist()
    if not attributes.get("allowzero", 0):
        wanted = [values.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)]
    return values.reshape(wanted)


def _axes(inputs: Sequence[Any], attributes: Attributes) -> list[int] | None:
    if len(inputs) > 1 and inputs[1] is not None:
        found: list[int] = inputs[1].tolist()
        return found
    return attributes.get("axes")


def _unsqueeze(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, axes = inputs[0], _axes(inputs, attributes) or []
    rank = values.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        values = values.unsqueeze(axis)
    return values


def _squeeze(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, axes = inputs[0], _axes(inputs, attributes)
    if axes is None:
        return values.squeeze()
    return values.squeeze([axis % values.dim() for axis in axes])


def _reduce(how: Callable[..., Any]) -> Operator:
    def run(inputs: Sequence[Any], attributes: Attributes) -> Any:
        axes = _axes(inputs, attributes)
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return inputs[0]
        over = axes or list(range(inputs[0].dim()))
        return how(inputs[0], dim=over, keepdim=bool(attributes.get("keepdims", 1)))

    return run


def _split(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, axis = inputs[0], attributes.get("axis", 0)
    sizes = inputs[1].tolist() if len(inputs) > 1 and inputs[1] is not None else attributes.get("split")
    if sizes is None:
        sizes = -(-values.shape[axis] // attributes.get("num_outputs", attributes["outputs"]))
    return tuple(values.split(sizes, axis))


def _pad(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, mode = inputs[0], attributes.get("mode", "constant")
    pads = inputs[1].tolist() if len(inputs) > 1 else attributes["pads"]
    value = float(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else attributes.get("value", 0.0)
    if mode != "constant":
        raise NotImplementedError(f"Pad {mode}")
    count = values.dim()
    return functional.pad(
        values, [pads[axis + side * count] for axis in reversed(range(count)) for side in (0, 1)], value=value
    )


def _top_k(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tuple(
        inputs[0].topk(
            int(inputs[1]),
            attributes.get("axis", -1),
            bool(attributes.get("largest", 1)),
            bool(attributes.get("sorted", 1)),
        )
    )


def _gemm(inputs: Sequence[Any], attributes: Attributes) -> Any:
    a = inputs[0].T if attributes.get("transA", 0) else inputs[0]
    b = inputs[1].T if attributes.get("transB", 0) else inputs[1]
    made = attributes.get("alpha", 1.0) * (a @ b)
    return made if len(inputs) < 3 or inputs[2] is None else made + attributes.get("beta", 1.0) * inputs[2]


def _gather(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, places, axis = inputs[0], inputs[1].to(torch.int64), attributes.get("axis", 0) % inputs[0].dim()
    places = torch.where(places < 0, places + values.shape[axis], places)
    taken = values.index_select(axis, places.reshape(-1))
    return taken.reshape(values.shape[:axis] + places.shape + values.shape[axis + 1 :])


def _grid_sample(inputs: Sequence[Any], attributes: Attributes) -> Any:
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(
        attributes.get("mode", "linear"), attributes.get("mode", "linear")
    )
    return functional.grid_sample(
        inputs[0],
        inputs[1],
        mode,
        attributes.get("padding_mode", "zeros"),
        bool(attributes.get("align_corners", 0)),
    )


def _space_to_depth(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, side = inputs[0], attributes["blocksize"]
    batch, channels, height, width = values.shape
    cut = values.reshape(batch, channels, height // side, side, width // side, side)
    return cut.permute(0, 3, 5, 1, 2, 4).reshape(batch, channels * side * side, height // side, width // side)


def _softmax(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values = inputs[0]
    if attributes["opset"] >= 13:
        return functional.softmax(values, attributes.get("axis", -1))
    axis = attributes.get("axis", 1) % values.dim()  # until opset 12 all axes from this one on are one
    return functional.softmax(values.flatten(axis), -1).reshape(values.shape)


def _clip(inputs: Sequence[Any], attributes: Attributes) -> Any:
    low, high = [*inputs[1:], None, None][:2]
    low = attributes.get("min") if low is None else low
    high = attributes.get("max") if high is None else high
    values = inputs[0]
    if low is not None:
        values = torch.maximum(values, torch.as_tensor(low, dtype=values.dtype))
    return values if high is None else torch.minimum(values, torch.as_tensor(high, dtype=values.dtype))


def _layer_normalisation(inputs: Sequence[Any], attributes: Attributes) -> Any:
    axis = attributes.get("axis", -1) % inputs[0].dim()
    bias = inputs[2] if len(inputs) > 2 else None
    return functional.layer_norm(inputs[0], inputs[0].shape[axis:], inputs[1], bias, attributes.get("epsilon", 1e-5))


def _batch_normalisation(inputs: Sequence[Any], attributes: Attributes) -> Any:
    values, gain, bias, mean, variance = inputs[:5]
    return functional.batch_norm(values, mean, variance, gain, bias, eps=attributes.get("epsilon", 1e-5))


def _plain(how: Callable[..., Any]) -> Operator:
    return lambda inputs, attributes: how(*inputs)


def _divide(one: Any, two: Any) -> Any:
    return one / two if one.is_floating_point() else torch.div(one, two, rounding_mode="trunc")


def _multiply_all(inputs: Sequence[Any], how: Callable[[Any, Any], Any]) -> Any:
    made = inputs[0]
    for each in inputs[1:]:
        made = how(made, each)
    return made


OPERATORS: dict[str, Operator] = {
    "Abs": _plain(torch.abs),
    "Add": _plain(torch.add),
    "And": _plain(torch.logical_and),
    "ArgMax": lambda i, a: i[0].argmax(a.get("axis", 0), keepdim=bool(a.get("keepdims", 1))),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalisation,
    "Cast": lambda i, a: i[0].to(_TYPES[a["to"]]),
    "Clip": _clip,
    "Concat": lambda i, a: torch.cat(list(i), a["axis"]),
    "Constant": lambda i, a: a["value"],
    "ConstantOfShape": lambda i, a: (
        torch.full(i[0].tolist(), a["value"].reshape(-1)[0].item(), dtype=a["value"].dtype)
        if "value" in a
        else torch.zeros(i[0].tolist())
    ),
    "Conv": _conv,
    "ConvInteger": _conv_integer,
    "ConvTranspose": _conv_transpose,
    "Cos": _plain(torch.cos),
    "DequantizeLinear": lambda i, a: dequantize(i[0], i[1], i[2] if len(i) > 2 else None, a.get("axis", 1)),
    "Div": _plain(_divide),
    "DynamicQuantizeLinear": _dynamic_quantize,
    "Equal": _plain(torch.eq),
    "Erf": _plain(torch.erf),
    "Exp": _plain(torch.exp),
    "Expand": lambda i, a: i[0] * torch.ones(i[1].tolist(), dtype=i[0].dtype),
    "Flatten": lambda i, a: i[0].reshape(_product(i[0].shape[: a.get("axis", 1)]), -1),
    "Floor": _plain(torch.floor),
    "Gather": _gather,
    "GatherElements": lambda i, a: i[0].gather(a.get("axis", 0), i[1]),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda i, a: i[0].mean(dim=list(range(2, i[0].dim())), keepdim=True),
    "GlobalMaxPool": lambda i, a: i[0].amax(dim=list(range(2, i[0].dim())), keepdim=True),
    "Greater": _plain(torch.gt),
    "GridSample": _grid_sample,
    "HardSigmoid": lambda i, a: torch.clamp(a.get("alpha", 0.2) * i[0] + a.get("beta", 0.5), 0, 1),
    "HardSwish": lambda i, a: functional.hardswish(i[0]),
    "Identity": lambda i, a: i[0],
    "LayerNormalization": _layer_normalisation,
    "LeakyRelu": lambda i, a: functional.leaky_relu(i[0], a.get("alpha", 0.01)),
    "Less": _plain(torch.lt),
    "Log": _plain(torch.log),
    "MatMul": _plain(torch.matmul),
    "MatMulInteger": _matmul_integer,
    "Max": lambda i, a: _multiply_all(i, torch.maximum),
    "MaxPool": _max_pool,
    "Min": lambda i, a: _multiply_all(i, torch.minimum),
    "Mod": lambda i, a: torch.fmod(i[0], i[1]) if a.get("fmod", 0) else torch.remainder(i[0], i[1]),
    "Mul": _plain(torch.mul),
    "Neg": _plain(torch.neg),
    "Not": _plain(torch.logical_not),
    "PRelu": lambda i, a: torch.where(i[0] < 0, i[0] * i[1], i[0]),
    "Pad": _pad,
    "Pow": _plain(torch.pow),
    "QLinearAdd": _qlinear_add,
    "QLinearConv": _qlinear_conv,
    "QLinearMatMul": _qlinear_matmul,
    "QuantizeLinear": lambda i, a: quantize(i[0], i[1], i[2] if len(i) > 2 else None, a.get("axis", 1)),
    "Range": lambda i, a: torch.arange(i[0].item(), i[1].item(), i[2].item(), dtype=i[0].dtype),
    "Reciprocal": _plain(torch.reciprocal),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(torch.mean),
    "ReduceMin": _reduce(torch.amin),
    "ReduceSum": _reduce(torch.sum),
    "Relu": _plain(torch.relu),
    "Reshape": _reshape,
    "Resize": _resize,
    "Round": lambda i, a: _rounded(i[0]),
    "Shape": lambda i, a: torch.tensor(list(i[0].shape)[slice(a.get("start", 0), a.get("end"))], dtype=torch.int64),
    "Sigmoid": _plain(torch.sigmoid),
    "Sin": _plain(torch.sin),
    "Slice": _slice,
    "Softmax": _softmax,
    "Softplus": lambda i, a: functional.softplus(i[0]),
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": _squeeze,
    "Sub": _plain(torch.sub),
    "Sum": lambda i, a: _multiply_all(i, torch.add),
    "Tanh": _plain(torch.tanh),
    "Tile": lambda i, a: i[0].repeat(i[1].tolist()),
    "TopK": _top_k,
    "Transpose": lambda i, a: i[0].permute(a.get("perm", list(reversed(range(i[0].dim()))))),
    "Unsqueeze": _unsqueeze,
    "Where": _plain(torch.where),
}


def _product(sizes: Sequence[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product
