"""One picture after the other of a seeded drive, with the exact truth of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cmp_to_key

import cv2
import numpy as np

from hilgui.scenes.camera import Camera, Floats
from hilgui.scenes.canvas import Canvas, Colour, darken, fixed
from hilgui.scenes.figures import paint_bicycle, paint_limbs, riding, walking
from hilgui.scenes.grain import Bytes, generator, scale
from hilgui.scenes.props import Prop, paint_prop, plant
from hilgui.scenes.road import Road
from hilgui.scenes.shadows import shadow_of
from hilgui.scenes.solids import LAMP_FRONT, LAMP_REAR, Pose, paint_mesh, place
from hilgui.scenes.town import Town
from hilgui.scenes.traffic import CLASSES, CYCLIST, PERSON, Actor, Casting
from hilgui.scenes.weather import Weather, through_haze

VERSION = 1
FPS = 30
VEHICLES_M, PEOPLE_M, PROPS_M = 150.0, 95.0, 130.0
LOWEST_PX = 8.0  # what is lower, or hidden altogether, is not in the truth

TAIL_ON: Colour = (40, 36, 214)
BRAKE_ON: Colour = (70, 60, 255)
HEAD_ON: Colour = (244, 252, 255)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is true about one actor in one picture."""

    track: int
    category: str
    box: tuple[float, float, float, float]  # x, y, width, height of all its pixels, hidden ones too
    pixels: int  # that it covers when nothing stands before it
    visible: int
    truncation: float
    distance_m: float
    speed_mps: float
    colour: Colour

    @property
    def occlusion(self) -> float:
        """The hidden share of its pixels."""
        return 1.0 - self.visible / self.pixels


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One rendered frame."""

    index: int
    image: Bytes
    ids: Bytes  # number of the sight (counted from 1) that owns each pixel, 0 for nobody
    sights: tuple[Sight, ...]


class Renderer:
    """Renders one drive; the same seed gives the same bytes."""

    def __init__(
        self, weather: Weather, seed: int, seconds: float, camera: Camera | None = None, people: bool = True
    ) -> None:
        self.camera = camera or Camera()
        self.weather = weather
        self.frames = round(seconds * FPS)
        self._traffic = Casting(seed, weather, seconds, people).cast()
        self._props = plant(seed, seconds * 10.5 + 170.0)
        self._road = Road(self.camera, weather, seed)
        self._town = Town(self.camera, weather, seed, self._road.first_row)
        self._canvas = Canvas(self.camera.width, self.camera.height)
        self._random = generator(seed, "sensor")
        noise = generator(seed, "noise").integers(0, 256, (4, 700, 1200, 3), dtype=np.uint8).astype(np.uint16)
        centred = noise.sum(axis=0).astype(np.int32) - 510
        self._noise = (centred * weather.noise // 148).astype(np.int16)

    def pictures(self, every: int = 1) -> Iterator[Picture]:
        """Render from the first frame to the last; of the frames between every n-th only time is kept."""
        for index in range(self.frames):
            if index % every == 0:
                yield self._render(index)
            else:
                self._take_noise()
                self._rain_drops()
            self._traffic.step(1.0 / FPS)

    def _render(self, index: int) -> Picture:
        canvas, ego = self._canvas, self._traffic.ego
        first = self._road.first_row
        canvas.image[first:] = self._road.look(ego.z)
        self._town.paint(canvas.image, ego.z)
        canvas.ids[:] = 0
        scene = self._visible()
        if self.weather.shadows:
            self._cast_shadows(scene)
        if self.weather.wet:
            self._mirror(first)
        drawn: list[tuple[Actor, Floats]] = []
        marks: list[tuple[int, tuple[float, float, float, float]]] = []
        for thing in scene:
            if isinstance(thing, Prop):
                paint_prop(canvas, self.camera, self.weather, thing, ego.z)
                continue
            number = len(drawn) + 1
            outline = self._paint(thing, number)
            drawn.append((thing, outline))
            marks.append(_extent(canvas.ids, number, outline))
        sights, ids = self._sights(drawn, marks)
        self._weather_over()
        return Picture(index, canvas.image.copy(), ids, sights)

    def _visible(self) -> list[Actor | Prop]:
        ego_z = self._traffic.ego.z
        scene: list[Actor | Prop] = [prop for prop in self._props if 0.6 < prop.z - ego_z < PROPS_M]
        for actor in self._traffic.actors:
            ahead = actor.z - ego_z
            reach = PEOPLE_M if actor.kind in (PERSON, CYCLIST) else VEHICLES_M
            if -actor.length_m / 2 + 1.0 < ahead < reach and len(scene) < 250:
                scene.append(actor)
        return sorted(scene, key=cmp_to_key(_back_to_front))

    def _paint(self, actor: Actor, number: int) -> Floats:
        pose = Pose(actor.x, actor.z - self._traffic.ego.z, actor.heading_rad)
        canvas, camera, weather, ego_z = self._canvas, self.camera, self.weather, self._traffic.ego.z
        if actor.mesh is not None:
            paint_mesh(canvas, camera, weather, actor.mesh, pose, ego_z, number, self._lamps(actor))
            self._shine(actor, pose)
            return camera.project(place(actor.mesh.corners, pose))[0]
        assert actor.clothes is not None
        if actor.kind == CYCLIST:
            paint_bicycle(canvas, camera, weather, actor.colour, pose, ego_z, number)
            limbs = riding(actor.clothes, actor.phase)
            if self.weather.lamps:
                self._bicycle_lamp(pose)
        else:
            limbs = walking(actor.clothes, actor.phase, min(actor.speed / 1.3, 1.15))
            if actor.speed == 0.0:
                limbs = walking(actor.clothes, 0.4, 0.0)
        paint_limbs(canvas, camera, weather, limbs, pose, ego_z, number)
        if actor.clothes.umbrella:
            self._umbrella(actor, pose)
        height = actor.clothes.height_m if actor.kind == PERSON else 1.75
        half = 0.3 if actor.kind == PERSON else 0.3 + 0.5 * actor.length_m * (abs(actor.heading_rad) == 1)
        corners = [(x, y, z) for x in (-half, half) for y in (0.0, height) for z in (-0.2, 0.2)]
        return camera.project(place(np.array(corners), pose))[0]

    def _umbrella(self, actor: Actor, pose: Pose) -> None:
        assert actor.clothes is not None
        assert actor.clothes.umbrella is not None
        top = actor.clothes.height_m + 0.34
        rim = [(-0.52, top - 0.26), (-0.40, top - 0.10), (-0.2, top - 0.01), (0.0, top + 0.03)]
        half = np.array([(x, y, 0.0) for x, y in rim])
        other = half[::-1] * np.array((-1.0, 1.0, 1.0))
        outline, _ = self.camera.project(np.concatenate([half, other]) + np.array((pose.x, 0.0, pose.z)))
        light = np.array(self.weather.ambient) * 1.15
        colour = through_haze(self.weather, (np.array(actor.clothes.umbrella) * light)[None, :], max(pose.z, 0.0))
        blue, green, red = np.rint(np.clip(colour[0], 0, 255)).astype(int).tolist()
        self._canvas.fill(fixed(outline), (blue, green, red), None)

    def _lamps(self, actor: Actor) -> dict[int, Colour]:
        braking = actor.accel < -0.8 and actor.wanted > 0
        if self.weather.lamps and actor.wanted:
            return {LAMP_REAR: BRAKE_ON if braking else TAIL_ON, LAMP_FRONT: HEAD_ON}
        return {LAMP_REAR: BRAKE_ON} if braking else {}

    def _shine(self, actor: Actor, pose: Pose) -> None:
        if not self.weather.lamps or not actor.wanted or pose.z < 3.0:
            return
        oncoming = actor.heading_rad != 0.0
        end = pose.z - actor.length_m / 2
        half = actor.width_m / 2 - 0.22
        height = 0.72 if actor.mesh is not None and actor.kind != PERSON else 0.6
        spots = np.array([(pose.x - half, height, end), (pose.x + half, height, end)])
        pixels, depth = self.camera.project(spots)
        size = (2.1 if oncoming else 0.9) * self.camera.fx / float(depth[0])
        bright = size if self.weather.day_part == "night" else size * 0.7
        span = max(5, min(round(bright) + (16 if oncoming else 4), 260))
        colour: Colour = (196, 224, 240) if oncoming else (26, 20, 150 if actor.accel >= -0.8 else 240)
        for x, y in pixels.tolist():
            self._canvas.glow(x, y, span, span, colour)
            if self.weather.wet:
                down = max(8, round(2.2 * size))
                self._canvas.glow(x, y + down * 0.62, max(5, span // 3), down, colour)

    def _bicycle_lamp(self, pose: Pose) -> None:
        if pose.z < 2.0:
            return
        oncoming = pose.heading_rad != 0.0
        spot = np.array([(pose.x, 0.85 if oncoming else 0.70, pose.z - 0.6)])
        pixels, depth = self.camera.project(spot)
        size = max(5, round(0.34 * self.camera.fx / float(depth[0])) + 4)
        colour: Colour = (180, 200, 210) if oncoming else (30, 24, 210)
        self._canvas.glow(float(pixels[0, 0]), float(pixels[0, 1]), size, size, colour)

    def _cast_shadows(self, scene: list[Actor | Prop]) -> None:
        camera = self.camera
        ego = np.array((0.0, 0.0, self._traffic.ego.z))
        near = [thing for thing in scene if thing.z - ego[2] < 75.0]
        outlines = np.concatenate([shadow_of(thing, self.weather) - ego for thing in near] or [np.zeros((0, 8, 3))])
        outlines[:, :, 2] = np.maximum(outlines[:, :, 2], 1.2)
        pixels = camera.project(outlines.reshape(-1, 3))[0] * 8.0
        points = np.rint(np.clip(pixels, -140000, 140000)).astype(np.int32).reshape(-1, 8, 1, 2)
        mask = np.zeros((camera.height // 2, camera.width // 2), np.uint8)
        for outline in points:
            cv2.fillConvexPoly(mask, cv2.convexHull(outline), 255, cv2.LINE_AA, 4)
        first = (self._road.first_row + 1) // 2
        darken(self._canvas.image[first * 2 :], mask[first:], self.weather.shadows)

    def _mirror(self, first: int) -> None:
        image = self._canvas.image
        rows = min(first, len(image) - first)
        above = np.ascontiguousarray(image[first - rows : first][::-1])
        blurred = np.asarray(cv2.blur(above, (3, 31)), np.uint8)
        fade = np.rint(np.linspace(255.0 * self.weather.wet, 96.0 * self.weather.wet, rows)).astype(np.uint8)
        share = np.ascontiguousarray(np.broadcast_to(fade[:, None, None], above.shape))
        ground = np.ascontiguousarray(image[first : first + rows])
        image[first : first + rows] = cv2.add(scale(ground, 255 - share), scale(blurred, share))

    def _sights(
        self, drawn: list[tuple[Actor, Floats]], marks: list[tuple[int, tuple[float, float, float, float]]]
    ) -> tuple[tuple[Sight, ...], Bytes]:
        counts = np.bincount(self._canvas.ids.reshape(-1), minlength=256)
        numbers = np.zeros(256, np.uint8)
        sights: list[Sight] = []
        ego = self._traffic.ego
        for number, ((actor, outline), (pixels, box)) in enumerate(zip(drawn, marks, strict=True), start=1):
            if counts[number] == 0 or box[2] < 2 or box[3] < LOWEST_PX:
                continue
            numbers[number] = len(sights) + 1
            whole = _area(outline)
            sights.append(
                Sight(
                    track=actor.track,
                    category=CLASSES[actor.kind],
                    box=box,
                    pixels=pixels,
                    visible=int(counts[number]),
                    truncation=max(0.0, 1.0 - _inside(outline, self.camera) / max(whole, 1e-6)),
                    distance_m=max(0.0, actor.z - ego.z - _half_depth(actor)),
                    speed_mps=actor.speed,
                    colour=actor.colour,
                )
            )
        return tuple(sights), numbers[self._canvas.ids]

    def _take_noise(self) -> tuple[int, int]:
        row, column = self._random.integers(0, 160, 2).tolist()
        return row, column

    def _rain_drops(self) -> list[list[int]]:
        if not self.weather.streaks:
            return []
        drops: list[list[int]] = self._random.integers(0, 1 << 14, (self.weather.streaks, 4)).tolist()
        return drops

    def _weather_over(self) -> None:
        image = self._canvas.image
        row, column = self._take_noise()
        drops = self._rain_drops()
        if drops:
            rain = np.zeros(image.shape[:2], np.uint8)
            for across, down, long, bright in drops:
                x, y, length = across * 1000 >> 14, (down * 600 >> 14) - 40, 14 + (long * 34 >> 14)
                cv2.line(rain, (x, y), (x - length // 7, y + length), 22 + (bright * 40 >> 14), 1, cv2.LINE_AA)
            image[:] = cv2.add(image, cv2.merge([rain, rain, rain]))
        noise = self._noise[row : row + image.shape[0], column : column + image.shape[1]]
        image[:] = cv2.add(image, noise, dtype=cv2.CV_8U)


def _half_depth(thing: Actor | Prop) -> float:
    if isinstance(thing, Prop):
        return 0.2
    return thing.length_m / 2 if abs(thing.heading_rad) != 1.570796327 else thing.width_m / 2


def _back_to_front(one: Actor | Prop, two: Actor | Prop) -> int:
    """Order painting: what begins behind the other's end is painted first, else what stands more aside."""
    if one.z - _half_depth(one) >= two.z + _half_depth(two):
        return -1
    if two.z - _half_depth(two) >= one.z + _half_depth(one):
        return 1
    if abs(abs(one.x) - abs(two.x)) > 0.4:
        return -1 if abs(one.x) > abs(two.x) else 1
    return -1 if one.z > two.z else 1


def _area(outline: Floats) -> float:
    size = outline.max(axis=0) - outline.min(axis=0)
    return float(size[0] * size[1])


def _inside(outline: Floats, camera: Camera) -> float:
    low = np.maximum(outline.min(axis=0), 0.0)
    high = np.minimum(outline.max(axis=0), (camera.width, camera.height))
    size = np.maximum(high - low, 0.0)
    return float(size[0] * size[1])


def _extent(ids: Bytes, number: int, outline: Floats) -> tuple[int, tuple[float, float, float, float]]:
    """Count the pixels just painted and box them."""
    height, width = ids.shape
    margin = 24.0 + 0.25 * (outline[:, 1].max() - outline[:, 1].min())
    x0, y0 = (np.clip(outline.min(axis=0) - margin, 0, (width, height))).astype(int).tolist()
    x1, y1 = (np.clip(outline.max(axis=0) + margin, 0, (width, height))).astype(int).tolist()
    mine = ids[y0:y1, x0:x1] == number
    count = int(np.count_nonzero(mine))
    if not count:
        return 0, (0.0, 0.0, 0.0, 0.0)
    columns, rows = np.flatnonzero(mine.any(axis=0)), np.flatnonzero(mine.any(axis=1))
    left, top = float(x0 + columns[0]), float(y0 + rows[0])
    return count, (left, top, float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1))
