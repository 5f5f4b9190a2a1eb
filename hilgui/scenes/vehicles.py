"""Cars, vans and lorries as solids."""

from dataclasses import dataclass

import numpy as np

from hilgui.scenes.camera import direction
from hilgui.scenes.canvas import Colour
from hilgui.scenes.solids import LAMP_FRONT, LAMP_REAR, Mesh, Profile, Solid

GLASS: Colour = (92, 78, 66)
GLEAM: Colour = (176, 158, 138)
TYRE: Colour = (34, 33, 33)
RIM: Colour = (150, 150, 152)
TRIM: Colour = (48, 47, 47)
TAIL: Colour = (32, 28, 150)
LENS: Colour = (226, 232, 232)
PLATE: Colour = (206, 216, 220)

PAINTS: tuple[Colour, ...] = (
    (228, 230, 230), (46, 44, 43), (122, 124, 126), (176, 178, 180), (36, 34, 158), (142, 74, 34),
    (92, 62, 40), (60, 92, 52), (44, 120, 196), (196, 190, 170), (72, 70, 74), (98, 42, 58),
)  # fmt: skip
VAN_PAINTS: tuple[Colour, ...] = ((226, 228, 230), (60, 190, 236), (150, 88, 40), (92, 92, 96), (70, 70, 190))


@dataclass(frozen=True, slots=True)
class Size:
    """Length, width and height in metres."""

    length_m: float
    width_m: float
    height_m: float


def _wheels(solid: Solid, size: Size, axles: tuple[float, ...], radius: float) -> None:
    half = size.width_m / 2
    for axle in axles:
        for side in (-1.0, 1.0):
            inner, outer = side * (half - 0.24), side * (half - 0.02)
            for z, normal in ((axle - radius * 0.75, -1.0), (axle + radius * 0.75, 1.0)):
                face = [(inner, 0.0, z), (outer, 0.0, z), (outer, 0.4, z), (inner, 0.4, z)]
                solid.add(face, (0.0, 0.0, normal), TYRE)


def _hubs(solid: Solid, size: Size, axles: tuple[float, ...], radius: float) -> None:
    steps = [direction(index * np.pi / 8) for index in range(16)]
    for axle in axles:
        for side in (-1.0, 1.0):
            x = side * (size.width_m / 2 + 0.01)
            for part, colour in ((1.0, TYRE), (0.66, RIM), (0.22, TRIM)):
                ring = [(x, radius + sine * radius * part, axle + cosine * radius * part) for cosine, sine in steps]
                solid.add(ring, (side, 0.0, 0.0), colour, hull=part == 1.0)


def _shade(colour: Colour, by: float) -> Colour:
    blue, green, red = (min(round(part * by), 255) for part in colour)
    return blue, green, red


def build_car(size: Size, colour: Colour) -> Mesh:
    """Return a saloon, hatchback or SUV, depending on its size."""
    solid = Solid()
    back, front, half = -size.length_m / 2, size.length_m / 2, size.width_m / 2
    belt = 0.60 * size.height_m
    radius = 0.22 * size.height_m
    axles = (back + 0.78, front - 0.82)
    _wheels(solid, size, axles, radius)
    body: Profile = (
        (back + 0.06, 0.22, half - 0.06), (front - 0.08, 0.20, half - 0.06), (front, 0.42, half - 0.04),
        (front - 0.06, belt - 0.20, half - 0.05), (front - 1.05, belt, half), (back + 0.10, belt + 0.04, half),
        (back, belt - 0.12, half - 0.03),
    )  # fmt: skip
    faces = solid.extrude(body, colour)
    tail, nose = faces[2 + 6], faces[2 + 2]
    solid.inset(tail, (0.0, 0.64, 1.0, 0.98), _shade(colour, 0.62))
    solid.inset(tail, (0.0, 0.84, 1.0, 0.98), TRIM)
    solid.inset(tail, (0.36, 0.42, 0.64, 0.58), PLATE)
    solid.inset(nose, (0.22, 0.10, 0.78, 0.62), TRIM)
    solid.inset(nose, (0.37, 0.14, 0.63, 0.40), PLATE)
    low = faces[2 + 1]
    solid.inset(low, (0.10, 0.25, 0.90, 0.75), TRIM)
    for side in (faces[0], faces[1]):
        x = solid.corners[solid.faces[side][0]][0]
        out = (1.0 if x > 0 else -1.0) * (half + 0.005)
        normal = solid.normals[side]
        for z in (back + 1.15, 0.0 + back * 0.06, front - 1.45):
            solid.add([(out, 0.30, z), (out, belt, z), (out, belt, z + 0.03), (out, 0.30, z + 0.03)],
                      normal, _shade(colour, 0.55), hull=False)  # fmt: skip
        sill = [(out, 0.22, back + 0.9), (out, 0.34, back + 0.9), (out, 0.34, front - 0.9), (out, 0.22, front - 0.9)]
        solid.add(sill, normal, TRIM, hull=False)
    roof = size.height_m
    cabin: Profile = (
        (back + 0.16, belt, half - 0.04), (front - 1.02, belt, half - 0.06),
        (front - 1.85, roof - 0.02, half - 0.20), (back + 0.62, roof, half - 0.20),
    )  # fmt: skip
    glass = solid.extrude(cabin, colour)
    for face, box in ((glass[5], (0.06, 0.10, 0.94, 0.86)), (glass[3], (0.05, 0.08, 0.95, 0.90))):
        solid.inset(face, box, GLASS)
    solid.inset(glass[3], (0.10, 0.56, 0.90, 0.88), GLEAM)
    solid.inset(glass[5], (0.10, 0.16, 0.90, 0.36), GLEAM)
    for side in (glass[0], glass[1]):
        solid.inset(side, (0.07, 0.12, 0.47, 0.86), GLASS)
        solid.inset(side, (0.52, 0.12, 0.92, 0.86), GLASS)
        solid.inset(side, (0.54, 0.60, 0.86, 0.84), GLEAM)
    _hubs(solid, size, axles, radius)
    _lamps(solid, half, belt - 0.30, belt - 0.10, back, front - 0.03)
    return solid.finish()


def _lamps(solid: Solid, half: float, low: float, high: float, back: float, front: float) -> None:
    for side in (-1.0, 1.0):
        outer, inner = side * (half - 0.06), side * (half - 0.40)
        rear = [
            (outer, low, back + 0.02),
            (inner, low, back + 0.02),
            (inner, high, back + 0.02),
            (outer, high, back + 0.02),
        ]
        solid.add(rear, (0.0, 0.0, -1.0), TAIL, LAMP_REAR, hull=False)
        head = [(outer, low, front), (inner, low, front), (inner, high, front), (outer, high, front)]
        solid.add(head, (0.0, 0.0, 1.0), LENS, LAMP_FRONT, hull=False)


def build_truck(size: Size, colour: Colour) -> Mesh:
    """Return a delivery van or lorry: a cab in front of a box."""
    solid = Solid()
    back, front, half = -size.length_m / 2, size.length_m / 2, size.width_m / 2
    axles = (back + 1.1, front - 0.95)
    radius = 0.40
    _wheels(solid, size, axles, radius)
    cab_back = front - 1.9
    cab_top = min(size.height_m - 0.25, 2.35)
    cab: Profile = (
        (cab_back, 0.35, half - 0.06), (front, 0.35, half - 0.06), (front, 1.05, half - 0.06),
        (front - 0.55, cab_top, half - 0.14), (cab_back, cab_top, half - 0.14),
    )  # fmt: skip
    box: Profile = (
        (back, 0.55, half), (cab_back - 0.04, 0.55, half),
        (cab_back - 0.04, size.height_m, half), (back, size.height_m, half),
    )  # fmt: skip
    cab_colour = colour if size.height_m < 2.7 else _shade(colour, 0.8)
    faces = solid.extrude(cab, cab_colour)
    solid.inset(faces[4], (0.06, 0.06, 0.94, 0.90), GLASS)
    solid.inset(faces[4], (0.12, 0.50, 0.88, 0.86), GLEAM)
    solid.inset(faces[3], (0.16, 0.22, 0.84, 0.62), TRIM)
    solid.inset(faces[3], (0.38, 0.05, 0.62, 0.18), PLATE)
    for face in (faces[0], faces[1]):
        side = 1.0 if solid.normals[face][0] > 0 else -1.0
        x0, x1 = side * (half - 0.07), side * (half - 0.10)
        window = [(x0, 1.15, cab_back + 0.35), (x1, cab_top - 0.2, cab_back + 0.35),
                  (x1, cab_top - 0.2, front - 0.75), (x0, 1.15, front - 0.35)]  # fmt: skip
        solid.add(window, (side, 0.0, 0.0), GLASS, hull=False)
    cargo = solid.extrude(box, colour)
    tail = cargo[2 + 3]
    solid.inset(tail, (0.0, 0.0, 1.0, 0.06), _shade(colour, 0.6))
    solid.inset(tail, (0.04, 0.04, 0.49, 0.90), _shade(colour, 0.88))
    solid.inset(tail, (0.51, 0.04, 0.96, 0.90), _shade(colour, 0.88))
    solid.inset(tail, (0.44, 0.30, 0.48, 0.62), TRIM)
    solid.inset(tail, (0.52, 0.30, 0.56, 0.62), TRIM)
    for face in (cargo[0], cargo[1]):
        side = 1.0 if solid.normals[face][0] > 0 else -1.0
        x = side * (half + 0.005)
        for low, high, tint in ((1.15, 1.35, 0.55), (1.40, 1.46, 0.7)):
            stripe = [(x, low, back), (x, high, back), (x, high, cab_back - 0.05), (x, low, cab_back - 0.05)]
            solid.add(stripe, (side, 0.0, 0.0), _shade(colour, tint), hull=False)
    bumper = [(-half, 0.36, back), (half, 0.36, back), (half, 0.56, back), (-half, 0.56, back)]
    solid.add(bumper, (0.0, 0.0, -1.0), TRIM)
    solid.add([(-0.26, 0.4, back), (0.26, 0.4, back), (0.26, 0.52, back), (-0.26, 0.52, back)],
              (0.0, 0.0, -1.0), PLATE, hull=False)  # fmt: skip
    _hubs(solid, size, axles, radius)
    _lamps(solid, half, 0.60, 0.82, back - 0.03, front + 0.01)
    return solid.finish()
