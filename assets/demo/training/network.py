"""A small anchor-free detector: four strides of features, boxes read at three of them."""

import torch
from torch import Tensor, nn

CLASSES = ("person", "cyclist", "car", "truck")
INPUT_WIDTH, INPUT_HEIGHT = 480, 288
STRIDES = (4, 8, 16)


def convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return convolution, normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """A residual bottleneck."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = convolution(channels, channels // 2, 1)
        self.expand = convolution(channels // 2, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Add what the bottleneck finds."""
        return features + self.expand(self.squeeze(features))


class Detector(nn.Module):
    """Turns images (B, 3, 288, 480) in 0..1 into boxes (B, N, 4) and class logits (B, N, 4)."""

    def __init__(self, widths: tuple[int, int, int, int, int] = (16, 24, 48, 80, 112), neck: int = 40) -> None:
        super().__init__()
        stem, four, eight, sixteen, deep = widths
        self.to4 = nn.Sequential(convolution(3, stem, 3, 2), convolution(stem, four, 3, 2), Block(four))
        self.to8 = nn.Sequential(convolution(four, eight, 3, 2), Block(eight))
        self.to16 = nn.Sequential(convolution(eight, sixteen, 3, 2), Block(sixteen), Block(sixteen))
        self.to32 = nn.Sequential(convolution(sixteen, deep, 3, 2), Block(deep))
        self.laterals = nn.ModuleList(convolution(width, neck, 1) for width in widths[1:])
        self.heads = nn.ModuleList(
            nn.Sequential(
                convolution(neck, neck, 3, groups=neck),
                convolution(neck, neck, 1),
                convolution(neck, neck, 3, groups=neck),
                convolution(neck, neck, 1),
            )
            for _ in STRIDES
        )
        self.readers = nn.ModuleList(nn.Conv2d(neck, 4 + len(CLASSES), 1) for _ in STRIDES)
        for reader in self.readers:
            nn.init.normal_(reader.weight, std=0.01)
            nn.init.zeros_(reader.bias)
            nn.init.constant_(reader.bias[4:], -4.6)
        centres, steps = grid()
        self.register_buffer("centres", centres, persistent=False)
        self.register_buffer("steps", steps, persistent=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return decoded boxes in input pixels, and logits."""
        four = self.to4(image)
        eight = self.to8(four)
        sixteen = self.to16(eight)
        level = self.laterals[3](self.to32(sixteen))
        found = []
        for number, features in ((2, sixteen), (1, eight), (0, four)):
            level = self.laterals[number](features) + nn.functional.interpolate(level, scale_factor=2.0)
            found.append(self.readers[number](self.heads[number](level)).flatten(2))
        raw = torch.cat(found[::-1], dim=2).transpose(1, 2).float()
        middle = self.centres + raw[:, :, :2] * self.steps
        half = torch.exp(raw[:, :, 2:4].clamp(-4.0, 5.0)) * self.steps * 0.5
        return torch.cat([middle - half, middle + half], dim=2), raw[:, :, 4:]


class Exported(nn.Module):
    """What goes into the ONNX file: scores instead of logits."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return boxes and scores."""
        boxes, logits = self.detector(image)
        return boxes, torch.sigmoid(logits)


def grid() -> tuple[Tensor, Tensor]:
    """Return the cells' centres (N, 2) in input pixels and their strides (N, 1), finest first."""
    centres, steps = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(INPUT_HEIGHT // stride), torch.arange(INPUT_WIDTH // stride), indexing="ij")
        centres.append((torch.stack([x, y], dim=-1).reshape(-1, 2).float() + 0.5) * stride)
        steps.append(torch.full((len(centres[-1]), 1), float(stride)))
    return torch.cat(centres), torch.cat(steps)
