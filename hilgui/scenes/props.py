"""Trees, street lamps and signs at the kerb: they hide people, and nobody labels them."""

from dataclasses import dataclass

import numpy as np

from hilgui.scenes.camera import Camera
from hilgui.scenes.canvas import NOBODY, Canvas, Colour, fixed
from hilgui.scenes.figures import Limbs, paint_limbs
from hilgui.scenes.grain import generator
from hilgui.scenes.road import ZEBRA_Z
from hilgui.scenes.solids import Pose
from hilgui.scenes.weather import LAMP_PERIOD_M, LAMPS, Weather

RIGHT_X, LEFT_X = 5.95, -9.25
BARK: Colour = (52, 66, 84)
STEEL: Colour = (108, 110, 110)


@dataclass(frozen=True, slots=True, eq=False)
class Prop:
    """Something that stands still beside the road."""

    x: float
    z: float
    limbs: Limbs
    lamp: tuple[float, float] | None = None  # x and y of a street lamp's head


def _tree(random: np.random.Generator) -> Limbs:
    limbs = Limbs([], [], [])
    height = 5.0 + 2.2 * random.random()
    lean = 0.3 * random.random() - 0.15
    limbs.add((0.0, 0.0, 0.0), (lean, height * 0.62, 0.0), (0.15, 0.09), BARK)
    limbs.add((lean, height * 0.50, 0.0), (lean + 0.7, height * 0.78, 0.0), (0.07, 0.04), BARK)
    limbs.add((lean, height * 0.46, 0.0), (lean - 0.7, height * 0.74, 0.0), (0.07, 0.04), BARK)
    warm = random.integers(-10, 26)
    blobs = [(random.random() * 2 - 1, random.random() * 2 - 1, random.random(), random.random()) for _ in range(30)]
    for x, y, width, tint in sorted(blobs, key=lambda blob: blob[1]):
        if x * x + y * y > 1.0:
            continue
        bright = 0.62 + 0.36 * (y + 1) / 2 + 0.14 * tint - 0.10 * abs(x)
        colour = (round(54 * bright), round(124 * bright), round((88 + warm) * bright))
        centre = (lean + x * 1.55, height * 0.80 + y * 1.35, 0.0)
        limbs.add(centre, (centre[0] + 0.25, centre[1] + 0.05, 0.0), (0.34 + 0.30 * width, 0.30 + 0.28 * width), colour)
    return limbs


def _lamp(x: float) -> tuple[Limbs, tuple[float, float]]:
    arm = -2.0 if x > 0 else 2.0
    limbs = Limbs([], [], [])
    limbs.add((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.10, 0.09), STEEL)
    limbs.add((0.0, 1.0, 0.0), (0.0, 7.0, 0.0), (0.07, 0.05), STEEL)
    limbs.add((0.0, 6.9, 0.0), (arm, 7.3, 0.0), (0.045, 0.035), STEEL)
    limbs.add((arm * 0.85, 7.26, 0.0), (arm * 1.15, 7.30, 0.0), (0.09, 0.07), (70, 72, 72))
    return limbs, (arm, 7.2)


def _sign(kind: int) -> Limbs:
    limbs = Limbs([], [], [])
    limbs.add((0.0, 0.0, 0.0), (0.0, 2.7, 0.0), (0.035, 0.035), STEEL)
    face: Colour = ((176, 96, 30), (48, 44, 196), (226, 226, 226))[kind]
    limbs.add((0.0, 2.45, 0.0), (0.0, 2.47, 0.0), (0.34, 0.34), (228, 230, 230))
    limbs.add((0.0, 2.45, 0.0), (0.0, 2.47, 0.0), (0.29, 0.29), face)
    limbs.add((-0.12, 2.46, 0.0), (0.12, 2.46, 0.0), (0.05, 0.05), (234, 236, 236))
    return limbs


def _bin() -> Limbs:
    limbs = Limbs([], [], [])
    limbs.add((-0.10, 0.22, 0.0), (-0.10, 0.86, 0.0), (0.22, 0.22), (62, 78, 58))
    limbs.add((0.10, 0.22, 0.0), (0.10, 0.86, 0.0), (0.22, 0.22), (62, 78, 58))
    limbs.add((-0.14, 0.98, 0.0), (0.14, 0.98, 0.0), (0.12, 0.12), (48, 58, 46))
    return limbs


def plant(seed: int, length_m: float) -> list[Prop]:
    """Return what stands along a drive."""
    random = generator(seed, "props")
    props = []
    for x in (RIGHT_X, LEFT_X):
        z = 6.0
        while z < length_m:
            lamp_near = any(
                x * lamp_x > 0 and abs((z - lamp_z + 48.0) % LAMP_PERIOD_M - 48.0) < 4.0 for lamp_x, lamp_z in LAMPS
            )
            dice = random.random()
            if not lamp_near and dice < 0.78:
                props.append(Prop(x + 0.2 * random.random(), z, _tree(random)))
            elif not lamp_near and dice < 0.90:
                props.append(Prop(x, z, _bin()))
            z += 8.0 + 7.0 * random.random()
        for start in np.arange(0.0, length_m, LAMP_PERIOD_M):
            for lamp_x, lamp_z in LAMPS:
                if lamp_x * x > 0:
                    limbs, head = _lamp(lamp_x)
                    props.append(Prop(lamp_x, float(start) + lamp_z, limbs, head))
            props.append(Prop(x - 0.3 if x > 0 else x + 0.3, float(start) + ZEBRA_Z - 1.0, _sign(0)))
            props.append(Prop(x, float(start) + 52.0, _sign(1 + int(random.integers(0, 2)))))
    return props


def paint_prop(canvas: Canvas, camera: Camera, weather: Weather, prop: Prop, ego_z: float) -> None:
    """Paint one prop, and its light where lamps burn."""
    pose = Pose(prop.x, prop.z - ego_z)
    paint_limbs(canvas, camera, weather, prop.limbs, pose, ego_z, NOBODY)
    if prop.lamp is None or not weather.lamps:
        return
    head = np.array([(prop.x + prop.lamp[0], prop.lamp[1], pose.z)])
    pixels, depth = camera.project(head)
    radius = 0.9 * camera.fx / float(depth[0])
    size = max(6, round(radius * 2))
    canvas.glow(float(pixels[0, 0]), float(pixels[0, 1]), size, size, (150, 214, 255))
    core = 0.12 * camera.fx / float(depth[0])
    box = np.array([(-1.6, -0.4), (1.6, -0.4), (1.6, 0.6), (-1.6, 0.6)]) * max(core, 0.6) + pixels[0]
    canvas.fill(fixed(box), (216, 246, 255), None)
