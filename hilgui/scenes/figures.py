"""People on foot and on bicycles: joints in metres, limbs painted as capsules."""

import math
from dataclasses import dataclass

import numpy as np

from hilgui.scenes.camera import Camera, Floats, direction
from hilgui.scenes.canvas import Canvas, Colour, fixed
from hilgui.scenes.solids import Pose, place
from hilgui.scenes.weather import Weather, surface_light, through_haze

SKINS: tuple[Colour, ...] = ((150, 182, 226), (112, 148, 198), (74, 104, 152), (46, 66, 102))
HAIRS: tuple[Colour, ...] = ((28, 30, 34), (34, 52, 78), (66, 110, 150), (120, 126, 130))
BRIGHT: tuple[Colour, ...] = (
    (40, 44, 190), (60, 150, 220), (196, 130, 60), (216, 216, 214), (76, 150, 74), (150, 70, 150), (60, 210, 226),
)  # fmt: skip
DARK: tuple[Colour, ...] = ((44, 40, 38), (70, 52, 40), (40, 50, 62), (62, 66, 60), (82, 78, 76), (52, 40, 70))

_ARC = [direction(math.pi * index / 7 - math.pi / 2) for index in range(8)]
ARC_COS = np.array([cosine for cosine, _ in _ARC])
ARC_SIN = np.array([sine for _, sine in _ARC])


@dataclass(frozen=True, slots=True)
class Clothes:
    """How one person looks."""

    top: Colour
    legs: Colour
    skin: Colour
    hair: Colour
    height_m: float = 1.75
    bag: bool = False
    long_coat: bool = False
    umbrella: Colour | None = None


@dataclass(slots=True)
class Limbs:
    """Capsules from joint to joint, in the order of painting."""

    ends: list[tuple[tuple[float, float, float], tuple[float, float, float]]]
    radii: list[tuple[float, float]]
    colours: list[Colour]

    def add(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        radii: tuple[float, float],
        colour: Colour,
    ) -> None:
        """Append one limb."""
        self.ends.append((start, end))
        self.radii.append(radii)
        self.colours.append(colour)


def walking(clothes: Clothes, phase: float, stride: float) -> Limbs:
    """Return a person facing z; `stride` 0 stands, 1 walks."""
    size = clothes.height_m / 1.75
    limbs = Limbs([], [], [])
    _, swing = direction(phase)
    _, bounce = direction(2 * phase)
    hip_y = (0.92 + 0.02 * bounce * stride) * size
    shoulder_y = hip_y + 0.50 * size
    order = (-1.0, 1.0) if swing > 0 else (1.0, -1.0)
    for side in order:
        step = swing * side * stride
        hip = (side * 0.09 * size, hip_y, 0.0)
        knee = (side * 0.09 * size, 0.50 * size, (0.20 * step + 0.05 * stride) * size)
        lift = 0.10 * max(-step, 0.0)
        foot = (side * 0.09 * size, (0.07 + lift) * size, 0.36 * step * size)
        toe = (side * 0.10 * size, (0.05 + lift) * size, (0.36 * step + 0.15) * size)
        limbs.add(hip, knee, (0.098 * size, 0.068 * size), clothes.legs)
        limbs.add(knee, foot, (0.066 * size, 0.048 * size), clothes.legs)
        limbs.add(foot, toe, (0.052 * size, 0.042 * size), (40, 40, 44))
    for side in (-1.0, 1.0):
        step = -swing * side * stride
        shoulder = (side * 0.19 * size, shoulder_y - 0.04 * size, 0.0)
        elbow = (side * 0.23 * size, shoulder_y - 0.28 * size, 0.12 * step * size)
        hand = (side * 0.22 * size, shoulder_y - 0.50 * size, (0.24 * step + 0.06) * size)
        limbs.add(shoulder, elbow, (0.066 * size, 0.052 * size), _tone(clothes.top, 0.82))
        limbs.add(elbow, hand, (0.050 * size, 0.036 * size), _tone(clothes.top, 0.82))
        limbs.add(hand, hand, (0.044 * size, 0.044 * size), clothes.skin)
    chest = (0.0, shoulder_y - 0.08 * size, 0.0)
    for side in (-1.0, 1.0):
        bottom = 0.24 if clothes.long_coat else 0.0
        low = (side * 0.075 * size, hip_y - bottom * size, 0.0)
        high = (side * 0.105 * size, chest[1], 0.0)
        limbs.add(low, high, (0.105 * size, 0.115 * size), clothes.top)
    limbs.add(
        (0.05 * size, hip_y + 0.1 * size, 0.03), (0.07 * size, chest[1], 0.03), (0.05, 0.06), _tone(clothes.top, 1.14)
    )
    if clothes.bag:
        limbs.add((0.0, hip_y + 0.14 * size, -0.16), (0.0, shoulder_y - 0.06, -0.15), (0.13, 0.12), (58, 54, 96))
    _head(limbs, clothes, (0.0, shoulder_y, 0.0), size, clothes.hair)
    return limbs


def _head(limbs: Limbs, clothes: Clothes, neck: tuple[float, float, float], size: float, cover: Colour) -> None:
    x, y, z = neck
    limbs.add((x, y - 0.02 * size, z), (x, y + 0.08 * size, z + 0.02), (0.055 * size, 0.055 * size), clothes.skin)
    limbs.add(
        (x, y + 0.13 * size, z + 0.03), (x, y + 0.21 * size, z + 0.03), (0.085 * size, 0.095 * size), clothes.skin
    )
    limbs.add((x, y + 0.19 * size, z - 0.02), (x, y + 0.235 * size, z - 0.01), (0.098 * size, 0.092 * size), cover)


def riding(clothes: Clothes, phase: float) -> Limbs:
    """Return the rider of a bicycle facing z; the pedals turn with the phase."""
    limbs = Limbs([], [], [])
    hip, shoulder = (0.0, 0.98, -0.22), (0.0, 1.42, 0.16)
    cosine, sine = direction(phase)
    for side in (-1.0, 1.0):
        pedal = (side * 0.12, 0.36 + 0.16 * sine * side, 0.05 + 0.16 * cosine * side)
        knee = (side * 0.12, (pedal[1] + hip[1]) / 2 + 0.08, (pedal[2] + hip[2]) / 2 + 0.24)
        limbs.add((side * 0.08, hip[1], hip[2]), knee, (0.095, 0.07), clothes.legs)
        limbs.add(knee, pedal, (0.066, 0.05), clothes.legs)
        limbs.add(pedal, (pedal[0], pedal[1] - 0.02, pedal[2] + 0.13), (0.05, 0.04), (40, 40, 44))
    for side in (-1.0, 1.0):
        high = (side * 0.16, shoulder[1] - 0.02, shoulder[2])
        elbow = (side * 0.22, 1.16, 0.34)
        limbs.add(high, elbow, (0.062, 0.05), _tone(clothes.top, 0.84))
        limbs.add(elbow, (side * 0.20, 1.04, 0.50), (0.048, 0.036), clothes.skin)
    for side in (-1.0, 1.0):
        limbs.add(
            (side * 0.07, hip[1], hip[2]),
            (side * 0.10, shoulder[1] - 0.06, shoulder[2] - 0.03),
            (0.115, 0.11),
            clothes.top,
        )
    _head(limbs, clothes, (0.0, shoulder[1] + 0.03, shoulder[2] + 0.08), 1.0, clothes.hair)
    return limbs


def _tone(colour: Colour, by: float) -> Colour:
    blue, green, red = (min(round(part * by), 255) for part in colour)
    return blue, green, red


def paint_limbs(
    canvas: Canvas, camera: Camera, weather: Weather, limbs: Limbs, pose: Pose, ego_z: float, owner: int
) -> None:
    """Paint capsules that are lit at their own height."""
    ends = place(np.array(limbs.ends).reshape(-1, 3), pose)
    pixels, depth = camera.project(ends)
    radii = np.array(limbs.radii).reshape(-1) * camera.fx / depth
    middles = (ends[0::2] + ends[1::2]) / 2
    normals = np.broadcast_to(np.array((-0.35, 0.35, -0.86)), middles.shape)
    light = surface_light(weather, middles, normals, ego_z)
    lit = through_haze(weather, np.minimum(np.array(limbs.colours, float) * light, 255.0), max(pose.z, 0.0))
    shades = np.rint(np.clip(lit, 0, 255)).astype(int).tolist()
    outlines = fixed(capsules(pixels[0::2], radii[0::2], pixels[1::2], radii[1::2]))
    for outline, (blue, green, red) in zip(outlines, shades, strict=True):
        canvas.fill(outline, (blue, green, red), owner)


def capsules(start: Floats, start_radius: Floats, end: Floats, end_radius: Floats) -> Floats:
    """Return outlines (N, 16, 2) around segments with round ends."""
    along = end - start
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1])
    short = length < 1e-6
    along = np.where(short[:, None], np.array((1.0, 0.0)), along / np.where(short, 1.0, length)[:, None])
    across = np.empty_like(along)
    across[:, 0], across[:, 1] = -along[:, 1], along[:, 0]
    bow = ARC_COS[None, :, None] * along[:, None, :] + ARC_SIN[None, :, None] * across[:, None, :]
    far = end[:, None, :] + end_radius[:, None, None] * bow
    near = start[:, None, :] - start_radius[:, None, None] * bow
    return np.concatenate([far, near], axis=1)


_WHEEL = [direction(math.pi * index / 12) for index in range(24)]
WHEEL_M = 0.34
FRAME = (
    ((0.0, 0.34, -0.54), (0.0, 0.36, 0.02)), ((0.0, 0.36, 0.02), (0.0, 0.88, -0.22)),
    ((0.0, 0.82, -0.20), (0.0, 0.84, 0.36)), ((0.0, 0.36, 0.02), (0.0, 0.80, 0.38)),
    ((0.0, 0.34, -0.54), (0.0, 0.80, -0.19)), ((0.0, 0.34, 0.54), (0.0, 1.00, 0.36)),
    ((-0.24, 1.04, 0.46), (0.24, 1.04, 0.46)), ((0.0, 0.90, -0.34), (0.0, 0.91, -0.10)),
)  # fmt: skip


def paint_bicycle(
    canvas: Canvas, camera: Camera, weather: Weather, colour: Colour, pose: Pose, ego_z: float, owner: int
) -> None:
    """Paint two wheels and a frame."""
    for hub in (-0.54, 0.54):
        ring = np.array([(0.0, WHEEL_M + sine * WHEEL_M, hub + cosine * WHEEL_M) for cosine, sine in _WHEEL])
        pixels, depth = camera.project(place(ring, pose))
        thickness = max(1, round(0.05 * camera.fx / float(depth[0])))
        if pixels[:, 0].max() - pixels[:, 0].min() > 1.0:
            canvas.trace(fixed(pixels), (30, 30, 30), min(thickness, 20), owner)
    limbs = Limbs([], [], [])
    for hub in (-0.54, 0.54):
        limbs.add((0.0, 0.05, hub), (0.0, 0.62, hub), (0.028, 0.028), (32, 32, 32))
    for start, end in FRAME:
        limbs.add(start, end, (0.022, 0.022), colour)
    paint_limbs(canvas, camera, weather, limbs, pose, ego_z, owner)
