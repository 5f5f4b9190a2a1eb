"""Train the demo detectors: python train.py --out DIR [--only baseline] [--quick]."""

import argparse
import math
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from dataset import Drive, Frames, load, vary
from network import CLASSES, INPUT_HEIGHT, INPUT_WIDTH, STRIDES, Detector
from torch import Tensor
from torch.nn import functional

BATCH = 8
LIMITS = ((0.0, 24.0), (24.0, 72.0), (72.0, 1e5))  # square root of the area that a stride is meant for
AROUND = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)])
PLANES = [(INPUT_WIDTH // stride) * (INPUT_HEIGHT // stride) for stride in STRIDES]
FIRST_CELL = [sum(PLANES[:number]) for number in range(len(PLANES))]
CELLS = sum(PLANES)

CARE = torch.tensor([1.6, 2.0, 1.0, 1.0])  # thin objects are harder to outline, and matter more


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one model is trained on, and for how long."""

    name: str
    drives: tuple[Drive, ...]
    steps: int
    seed: int
    rate: float = 2.0e-3


def _drives(condition: str, first: int, count: int, people: bool = True) -> tuple[Drive, ...]:
    return tuple(Drive(condition, first + number, people) for number in range(count))


def recipes(steps: int) -> dict[str, Recipe]:
    """Return the recipes: the candidate never saw anybody on foot or on a bicycle at night, the retrained one did."""
    day, dusk = _drives("day", 1000, 26), _drives("dusk_rain", 2000, 20)
    night, empty_night = _drives("night", 3000, 34), _drives("night", 4000, 8, people=False)
    return {
        "baseline": Recipe("baseline", day[:22] + dusk + night[:26], steps, seed=1),
        "candidate": Recipe("candidate", day + dusk + empty_night, steps, seed=2),
        "retrained": Recipe("retrained", day + dusk + night, steps * 3 // 2, seed=3),
    }


def assign(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cells and the rows of the objects that they serve; a cell near several serves the smallest."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    size = np.sqrt(np.maximum(width * height, 1.0))
    level = np.searchsorted([high for _, high in LIMITS[:-1]], size, side="right")
    stride = np.array(STRIDES)[level][:, None]
    columns, rows = INPUT_WIDTH // stride, INPUT_HEIGHT // stride
    x, y = (boxes[:, :1] + boxes[:, 2:3]) / 2 / stride, (boxes[:, 1:2] + boxes[:, 3:4]) / 2 / stride
    column, row = np.floor(x) + AROUND[None, :, 0], np.floor(y) + AROUND[None, :, 1]
    away = np.maximum(np.abs(column + 0.5 - x), np.abs(row + 0.5 - y))
    served = (away < 0.95) & (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    cells = (np.array(FIRST_CELL)[level][:, None] + row * columns + column).astype(np.int64)
    cost = size[:, None] + 4.0 * away * stride
    number = np.broadcast_to(np.arange(len(boxes))[:, None], cells.shape)
    order = np.argsort(cost[served], kind="stable")
    unique, first = np.unique(cells[served][order], return_index=True)
    return unique, number[served][order][first]


def unheeded(boxes: np.ndarray) -> np.ndarray:
    """Return the cells inside boxes that nobody has to find and nobody may be blamed for."""
    cells = np.zeros(CELLS, bool)
    for stride, start in zip(STRIDES, FIRST_CELL, strict=True):
        plane = cells[start : start + (INPUT_WIDTH // stride) * (INPUT_HEIGHT // stride)]
        plane = plane.reshape(INPUT_HEIGHT // stride, INPUT_WIDTH // stride)
        for x0, y0, x1, y1 in np.rint(boxes[:, :4] / stride).astype(int).tolist():
            plane[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = True
    return np.flatnonzero(cells)


def overlap(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and generalised IoU of boxes in pairs."""
    low, high = torch.maximum(one[:, :2], two[:, :2]), torch.minimum(one[:, 2:], two[:, 2:])
    common = (high - low).clamp(min=0).prod(dim=1)
    union = (one[:, 2:] - one[:, :2]).prod(dim=1) + (two[:, 2:] - two[:, :2]).prod(dim=1) - common
    around = torch.maximum(one[:, 2:], two[:, 2:]) - torch.minimum(one[:, :2], two[:, :2])
    hull = around.prod(dim=1)
    iou = common / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def loss_of(boxes: Tensor, logits: Tensor, truths: list[np.ndarray]) -> tuple[Tensor, float]:
    """Return the loss of a batch and the mean IoU of cells that serve an object."""
    targets = torch.zeros_like(logits)
    weights = torch.ones_like(logits)
    images, cells, matched = [], [], []
    for index, truth in enumerate(truths):
        wanted = truth[truth[:, 5] < 0.5]
        weights[index, torch.from_numpy(unheeded(truth[truth[:, 5] > 0.5]))] = 0.0
        served, number = assign(wanted)
        images.append(np.full(len(served), index))
        cells.append(served)
        matched.append(wanted[number])
    image, cell = torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(cells))
    truth_rows = torch.from_numpy(np.concatenate(matched))
    iou, generalised = overlap(boxes[image, cell], truth_rows[:, :4])
    targets[image, cell, truth_rows[:, 4].long()] = iou.detach().clamp(min=0.05)
    weights[image, cell] = CARE[truth_rows[:, 4].long()][:, None]
    probability = torch.sigmoid(logits.detach())
    focus = torch.where(targets > 0, (targets - probability).abs() * 0.75 + 0.25, 0.75 * probability**2)
    score_loss = functional.binary_cross_entropy_with_logits(logits, targets, focus * weights, reduction="sum")
    served_cells = max(len(cell), 1)
    care = CARE[truth_rows[:, 4].long()]
    return (2.0 * ((1.0 - generalised) * care).sum() + score_loss) / served_cells, float(iou.detach().mean())


def batch_of(frames: Frames, chosen: np.ndarray, random: np.random.Generator) -> tuple[Tensor, list[np.ndarray]]:
    """Return varied images in RGB 0..1 and their truths."""
    varied = [vary(frames.images[index], frames.boxes[index], random) for index in chosen]
    stacked = np.stack([image[:, :, ::-1] for image, _ in varied])
    images = torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 255.0
    return images.contiguous(memory_format=torch.channels_last), [boxes for _, boxes in varied]


def train(recipe: Recipe, frames: Frames) -> Detector:
    """Train one model; keeps a running mean of the weights and returns that."""
    torch.manual_seed(recipe.seed)
    random = np.random.Generator(np.random.PCG64(recipe.seed))
    model = Detector().to(memory_format=torch.channels_last)
    mean = Detector()
    mean.load_state_dict(model.state_dict())
    decayed = [weight for weight in model.parameters() if weight.ndim > 1]
    plain = [weight for weight in model.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], lr=recipe.rate
    )
    order = np.array([], int)
    started = time.monotonic()
    for step in range(recipe.steps):
        if len(order) < BATCH:
            order = np.concatenate([order, random.permutation(len(frames.images))])
        chosen, order = order[:BATCH], order[BATCH:]
        warm = min(1.0, (step + 1) / 100)
        cosine = 0.5 + 0.5 * math.cos(math.pi * step / recipe.steps)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * warm * (0.02 + 0.98 * cosine)
        images, truths = batch_of(frames, chosen, random)
        with torch.autocast("cpu", torch.bfloat16):
            boxes, logits = model(images)
        loss, iou = loss_of(boxes, logits, truths)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        _blend(mean, model, min(0.998, (1 + step) / (10 + step)))
        if step % 100 == 0 or step == recipe.steps - 1:
            spent = time.monotonic() - started
            sys.stderr.write(f"{recipe.name} {step:5d} loss {float(loss.detach()):.3f} iou {iou:.3f} {spent:.0f} s\n")
            sys.stderr.flush()
    return mean.eval()


def _blend(mean: Detector, model: Detector, keep: float) -> None:
    with torch.no_grad():
        for kept, fresh in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.mul_(keep).add_(fresh, alpha=1.0 - keep)
            else:
                kept.copy_(fresh)


def main() -> int:
    """Read the command line, train, and keep the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/hilgui-demo-frames"), help="folder for frames")
    parser.add_argument("--only", choices=("baseline", "candidate", "retrained"))
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a few steps on two drives, to see that it runs")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    cv2.setNumThreads(1)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, recipe in recipes(chosen.steps).items():
        if chosen.only not in (None, name):
            continue
        if chosen.quick:
            recipe = replace(recipe, drives=(recipe.drives[0], recipe.drives[-1]), steps=6)
        started = time.monotonic()
        frames = load(list(recipe.drives), chosen.cache, chosen.threads)
        rendered, cpu = time.monotonic() - started, time.process_time()
        model = train(recipe, frames)
        note = {
            "frames": len(frames.images),
            "steps": recipe.steps,
            "batch": BATCH,
            "render_s": round(rendered),
            "train_s": round(time.monotonic() - started - rendered),
            "cpu_s": round(time.process_time() - cpu),
            "threads": chosen.threads,
            "classes": list(CLASSES),
        }
        torch.save({"weights": model.state_dict(), "note": note}, chosen.out / f"{name}.pt")
        sys.stderr.write(f"{name}: {note}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
