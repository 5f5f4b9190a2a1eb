"""Solids of flat faces: built once, then placed, lit and painted."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hilgui.scenes.camera import Camera, Floats, direction
from hilgui.scenes.canvas import Canvas, Colour, fixed
from hilgui.scenes.weather import Weather, surface_light, through_haze

PAINT, LAMP_REAR, LAMP_FRONT = 0, 1, 2

Profile = tuple[tuple[float, float, float], ...]  # z, y and half width of every corner


@dataclass(slots=True)
class Solid:
    """Faces in the order of painting; a face is seen when its normal looks at the camera."""

    corners: list[tuple[float, float, float]] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    normals: list[tuple[float, float, float]] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    hull: list[bool] = field(default_factory=list)

    def add(
        self,
        corners: list[tuple[float, float, float]],
        normal: tuple[float, float, float],
        colour: Colour,
        kind: int = PAINT,
        hull: bool = True,
    ) -> int:
        """Append one face and return its number."""
        start = len(self.corners)
        self.corners.extend(corners)
        self.faces.append(tuple(range(start, start + len(corners))))
        self.normals.append(normal)
        self.colours.append(colour)
        self.kinds.append(kind)
        self.hull.append(hull)
        return len(self.faces) - 1

    def extrude(self, profile: Profile, colour: Colour) -> list[int]:
        """Add a convex body; returns right side, left side and the faces between, in profile order."""
        middle_z = sum(point[0] for point in profile) / len(profile)
        middle_y = sum(point[1] for point in profile) / len(profile)
        right = [(width, y, z) for z, y, width in profile]
        left = [(-width, y, z) for z, y, width in profile]
        numbers = [self.add(right, (1.0, 0.0, 0.0), colour), self.add(left, (-1.0, 0.0, 0.0), colour)]
        for one, two in zip(range(len(profile)), [*range(1, len(profile)), 0], strict=True):
            dz, dy = profile[two][0] - profile[one][0], profile[two][1] - profile[one][1]
            length = (dz * dz + dy * dy) ** 0.5
            normal_z, normal_y = dy / length, -dz / length
            out_z = (profile[one][0] + profile[two][0]) / 2 - middle_z
            out_y = (profile[one][1] + profile[two][1]) / 2 - middle_y
            if normal_z * out_z + normal_y * out_y < 0:
                normal_z, normal_y = -normal_z, -normal_y
            face = [left[one], right[one], right[two], left[two]]
            numbers.append(self.add(face, (0.0, normal_y, normal_z), colour))
        return numbers

    def inset(self, face: int, box: tuple[float, float, float, float], colour: Colour, kind: int = PAINT) -> int:
        """Add a patch on a face of four corners; box is u0, v0, u1, v1 in its own directions."""
        first, second, third, fourth = (self.corners[index] for index in self.faces[face][:4])

        def at(u: float, v: float) -> tuple[float, float, float]:
            low = [a + (b - a) * u for a, b in zip(first, second, strict=True)]
            high = [a + (b - a) * u for a, b in zip(fourth, third, strict=True)]
            x, y, z = (a + (b - a) * v for a, b in zip(low, high, strict=True))
            return x, y, z

        u0, v0, u1, v1 = box
        corners = [at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1)]
        return self.add(corners, self.normals[face], colour, kind, hull=False)

    def finish(self) -> "Mesh":
        """Return the arrays that painting needs."""
        corners = np.array(self.corners)
        centres = np.stack([corners[list(face)].sum(axis=0) / len(face) for face in self.faces])
        return Mesh(
            corners=corners,
            faces=[np.array(face) for face in self.faces],
            normals=np.array(self.normals),
            centres=centres,
            colours=np.array(self.colours, float),
            kinds=np.array(self.kinds),
            hull=self.hull,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A finished solid in its own coordinates."""

    corners: Floats
    faces: list[NDArray[np.int64]]
    normals: Floats
    centres: Floats
    colours: Floats
    kinds: NDArray[np.int64]
    hull: list[bool]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a solid stands relative to the car, and which way it looks."""

    x: float
    z: float
    heading_rad: float = 0.0  # 0 looks ahead, positive turns to the right


def place(points: Floats, pose: Pose) -> Floats:
    """Turn and move points."""
    turned = turn(points, pose.heading_rad)
    turned[:, 0] += pose.x
    turned[:, 2] += pose.z
    return turned


def turn(points: Floats, heading_rad: float) -> Floats:
    """Turn points around the upright axis."""
    cosine, sine = direction(heading_rad)
    turned = np.empty_like(points)
    turned[:, 0] = points[:, 0] * cosine + points[:, 2] * sine
    turned[:, 1] = points[:, 1]
    turned[:, 2] = points[:, 2] * cosine - points[:, 0] * sine
    return turned


def paint_mesh(
    canvas: Canvas,
    camera: Camera,
    weather: Weather,
    mesh: Mesh,
    pose: Pose,
    ego_z: float,
    owner: int,
    lamps: dict[int, Colour],
) -> None:
    """Paint the faces that look at the camera; `lamps` replaces the colour of lamp faces."""
    normals = turn(mesh.normals, pose.heading_rad)
    centres = place(mesh.centres, pose)
    seen = -(normals[:, 0] * centres[:, 0] + normals[:, 1] * (centres[:, 1] - camera.height_m)) > (
        normals[:, 2] * centres[:, 2]
    )
    if not seen.any():
        return
    light = surface_light(weather, centres, normals, ego_z)
    lit = through_haze(weather, np.minimum(mesh.colours * light, 255.0), max(pose.z, 0.0))
    shades = np.rint(np.clip(lit, 0, 255)).astype(int).tolist()
    points = fixed(camera.project(place(mesh.corners, pose))[0])
    far = pose.z > 70.0
    for number in np.flatnonzero(seen).tolist():
        hull = mesh.hull[number]
        kind = int(mesh.kinds[number])
        if far and not hull and kind == PAINT and number % 2:
            continue
        colour = lamps.get(kind) or (shades[number][0], shades[number][1], shades[number][2])
        canvas.fill(points[mesh.faces[number]], colour, owner if hull else None)
