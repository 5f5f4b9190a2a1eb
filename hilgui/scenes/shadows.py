"""Where the sun throws the shadows of actors and props."""

import numpy as np

from hilgui.scenes.camera import Floats
from hilgui.scenes.props import Prop
from hilgui.scenes.traffic import CYCLIST, Actor
from hilgui.scenes.weather import Weather

_ROUND = np.array(
    [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)]
)


def shadow_of(thing: Actor | Prop, weather: Weather) -> Floats:
    """Return convex patches (N, 8, 3) on the ground in the world; their points are in no order."""
    sun_x, sun_y, sun_z = weather.sun_from
    slope = (-sun_x / sun_y, -sun_z / sun_y)
    base = np.array((thing.x, 0.0, thing.z))
    if isinstance(thing, Prop):
        patches = _below_prop(thing, slope) if weather.sun[0] else np.zeros((0, 8, 3))
    elif thing.mesh is not None:
        patches = _below_vehicle(thing, slope)
    else:
        patches = _below_figure(thing, slope)
    return np.asarray(patches + base, dtype=np.float64)


def _below_prop(prop: Prop, slope: tuple[float, float]) -> Floats:
    ends, radii = np.array(prop.limbs.ends), np.array(prop.limbs.radii)
    patches = np.zeros((len(ends), 8, 3))
    for half, corners in ((0, _ROUND[:4]), (1, _ROUND[4:])):
        middle = ends[:, half, 0] + ends[:, half, 1] * slope[0], ends[:, half, 2] + ends[:, half, 1] * slope[1]
        for axis, row in ((0, 0), (2, 1)):
            patches[:, half * 4 : half * 4 + 4, axis] = middle[row][:, None] + radii[:, half, None] * corners[:, row]
    return patches


def _below_vehicle(actor: Actor, slope: tuple[float, float]) -> Floats:
    assert actor.mesh is not None
    length, width = actor.length_m / 2, actor.width_m / 2
    top = float(actor.mesh.corners[:, 1].max())
    way = -1.0 if actor.heading_rad else 1.0
    cabin = (-length, length, 1.0, top) if top > 2.2 else (-length * 0.72, length * 0.4, 0.5, top)
    patches = np.zeros((2, 8, 3))
    for patch, (z0, z1, low, high) in zip(patches, ((-length, length, 0.0, top * 0.55), cabin), strict=True):
        box = np.array([(x, y, z * way) for x in (-width, width) for y in (low, high) for z in (z0, z1)])
        patch[:, 0] = box[:, 0] + box[:, 1] * slope[0]
        patch[:, 2] = box[:, 2] + box[:, 1] * slope[1]
    return patches


def _below_figure(actor: Actor, slope: tuple[float, float]) -> Floats:
    height = 1.7 if actor.clothes is None else actor.clothes.height_m
    long = 0.75 if actor.kind == CYCLIST else 0.0
    patches = np.zeros((2, 8, 3))
    for patch, (z, radius) in zip(patches, ((-long, 0.16), (long, 0.16)), strict=True):
        for half, (y, at, wide) in enumerate(((0.1, z, radius), (height * 0.85, 0.0, 0.2))):
            patch[half * 4 : half * 4 + 4, 0] = y * slope[0] + wide * _ROUND[:4, 0]
            patch[half * 4 : half * 4 + 4, 2] = at + y * slope[1] + wide * _ROUND[:4, 1]
    return patches
