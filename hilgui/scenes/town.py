"""What stands behind the pavement: the sky and two rows of houses."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.scenes.camera import Camera, Floats
from hilgui.scenes.grain import Bytes, generator, grain, halve_columns, scale
from hilgui.scenes.road import WALL_LEFT_X, WALL_RIGHT_X
from hilgui.scenes.weather import LAMP_TINT, Weather

PERIOD_M = 115.2
TEXEL_M = 0.06
TOP_M = 20.0
LEVELS = 8

PLASTER = ((150, 176, 196), (168, 190, 204), (120, 138, 178), (180, 184, 186), (132, 164, 170), (112, 120, 150))


def _house(texture: NDArray[np.int16], random: np.random.Generator, left: int, right: int, lit: float) -> None:
    rows = texture.shape[0]
    height = 8.0 + 8.0 * random.random()
    top = rows - int(height / TEXEL_M)
    wall = np.array(PLASTER[int(random.integers(0, len(PLASTER)))], np.int16)
    texture[top:, left:right, :3] = wall
    texture[top:, left:right, 3] = 255
    texture[top : top + 9, left:right, :3] = (58, 66, 104) if random.random() < 0.6 else (84, 84, 88)
    texture[top + 9 : top + 12, left:right, :3] = wall - 46
    texture[rows - 10 :, left:right, :3] = wall - 56
    shop = random.random() < 0.4
    floor = 3.1 + 0.4 * random.random()
    pitch = 2.2 + 0.9 * random.random()
    storeys = int((height - 0.8) / floor)
    for storey in range(storeys):
        sill = rows - int((storey * floor + 0.9) / TEXEL_M)
        head = rows - int((storey * floor + 2.5) / TEXEL_M)
        for place in np.arange(left * TEXEL_M + 0.7, right * TEXEL_M - 1.5, pitch):
            x0, x1 = int(place / TEXEL_M), int((place + 1.25) / TEXEL_M)
            glass = random.integers(0, 26, 3).astype(np.int16) + np.array((86, 72, 62), np.int16)
            glows = random.random() < lit * (1.6 if storey == 0 and shop else 0.8)
            low = sill + (9 if storey == 0 and shop else 0)
            texture[head - 2 : low + 2, x0 - 2 : x1 + 2, :3] = wall + 26
            texture[head:low, x0:x1, :3] = glass
            texture[head : (head + low) // 2, x0 : (x0 + x1) // 2, :3] = glass + 34
            texture[head:low, (x0 + x1) // 2 : (x0 + x1) // 2 + 1, :3] = wall + 20
            if glows:
                warm = 130 + int(random.integers(0, 90))
                texture[head:low, x0:x1, :3] = (warm * 5 // 10, warm * 8 // 10, warm)
                texture[head:low, x0:x1, 3] = 254  # marks a window that shines by itself
    if shop:
        band = rows - int(2.95 / TEXEL_M)
        hues = ((60, 60, 170), (130, 90, 40), (60, 120, 60), (40, 150, 210))
        texture[band : band + 6, left + 6 : right - 6, :3] = hues[int(random.integers(0, 4))]


def paint_houses(seed: int, side: str, weather: Weather) -> Bytes:
    """Return one period of a row of houses, with opacity as fourth channel."""
    random = generator(seed, f"houses {side}")
    rows, columns = int(TOP_M / TEXEL_M), int(PERIOD_M / TEXEL_M)
    texture = np.zeros((rows, columns, 4), np.int16)
    hedge = rows - int(2.2 / TEXEL_M)
    leaf = grain(random, rows, columns, 3) // 5
    texture[hedge:, :, :3] = leaf[hedge:, :, None] + np.array((48, 92, 72), np.int16)
    texture[hedge:, :, 3] = 255
    left = 0
    while left < columns - 140:
        right = min(left + 150 + int(random.integers(0, 130)), columns)
        _house(texture, random, left, right, weather.windows)
        left = right + int(random.integers(0, 2)) * int(random.integers(20, 90))
    stain = grain(random, rows, columns, 24) // 14 + grain(random, rows, columns, 2) // 18
    shining = texture[:, :, 3:] == 254
    plain = np.clip(texture[:, :, :3] + stain[:, :, None], 0, 255)
    light = np.array(weather.ambient) + np.array(weather.sun) * (0.75 if side == "right" else 0.12)
    height = (rows - np.arange(rows)) * TEXEL_M
    lamp = 0.55 * weather.lamps / (1.0 + (height / 5.0) * (height / 5.0))
    lit = plain * np.minimum(light[None, None, :] + lamp[:, None, None] * LAMP_TINT, 1.0)
    colour = np.where(shining, texture[:, :, :3] * 0.85, lit)
    opacity = np.where(texture[:, :, 3:] > 0, 255, 0)
    painted = np.concatenate([colour * (opacity > 0), opacity], axis=-1)
    return np.asarray(np.rint(painted), dtype=np.uint8)


class _Strip:
    """Columns of the picture that share one level of detail of one row of houses."""

    def __init__(self, texture: Bytes, level: int, up: Floats, along: Floats, columns: slice) -> None:
        self.columns = columns
        self._texture = np.concatenate([texture, texture[:, :1]], axis=1)
        self._period = texture.shape[1] * 32
        self._per_m = 32.0 / (TEXEL_M * 2**level)
        self._along = along
        rows = np.rint((len(texture) - 0.5 - up / TEXEL_M) * 32.0)
        fixed = np.clip(rows, -64 * 32, (len(texture) + 2) * 32).astype(np.int32)
        self._whole = np.empty((*fixed.shape, 2), np.int16)
        self._whole[:, :, 1] = fixed >> 5
        self._part = ((fixed & 31) << 5).astype(np.uint16)

    def look(self, ego_z: float) -> Bytes:
        along = np.rint((self._along + ego_z) * self._per_m).astype(np.int64) % self._period
        self._whole[:, :, 0] = along >> 5
        part = self._part | (along & 31).astype(np.uint16)
        picture = cv2.remap(self._texture, self._whole, part, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(picture, np.uint8)


class Town:
    """Shows the sky down to the road's first row, and the houses before it down to their feet."""

    def __init__(self, camera: Camera, weather: Weather, seed: int, sky_rows: int) -> None:
        self._sky = paint_sky(camera, weather, seed, sky_rows)
        self._strips: list[_Strip] = []
        across, fall, forward = camera.rays()
        nearest = WALL_RIGHT_X / float(across.max())
        rows = self._rows = min(sky_rows + int(camera.fy * camera.height_m / nearest) + 4, camera.height)
        keep = np.full((rows, camera.width), 255.0)
        for side, wall_x in (("right", WALL_RIGHT_X), ("left", WALL_LEFT_X)):
            texture = paint_houses(seed, side, weather)
            reach = np.where(across * wall_x > 0.004, wall_x / np.where(across == 0, 1.0, across), 0.0)
            self._cut(texture, camera, reach, fall[:rows], forward[:rows])
            share = reach / (reach + weather.haze_m)
            keep = np.where((reach > 0)[None, :], np.rint((1.0 - share) * 255.0)[None, :], keep)
        self._keep = np.repeat(keep.astype(np.uint8)[:, :, None], 3, axis=2)
        self._haze = np.rint((255.0 - keep)[:, :, None] / 255.0 * np.array(weather.haze)).astype(np.uint8)

    def _cut(self, texture: Bytes, camera: Camera, reach: Floats, fall: Floats, forward: Floats) -> None:
        footprint = reach * reach / (camera.fx * 12.0)
        levels = np.clip(np.ceil(np.log2(np.maximum(footprint, 1e-6) / TEXEL_M) - 0.3), 0, LEVELS - 1)
        levels = np.where((reach > 0) & (reach < 900.0), levels, -1).astype(int)
        for level in range(LEVELS):
            found = np.flatnonzero(levels == level)
            if len(found):
                columns = slice(int(found[0]), int(found[-1]) + 1)
                up = camera.height_m + reach[None, columns] * fall[:, None]
                along = reach[None, columns] * forward[:, None]
                self._strips.append(_Strip(texture, level, up, along, columns))
            if texture.shape[1] % 2:
                break
            texture = halve_columns(texture)

    def paint(self, image: Bytes, ego_z: float) -> None:
        """Paint sky and houses into a picture that has its road already."""
        image[: len(self._sky)] = self._sky
        for strip in self._strips:
            seen = strip.look(ego_z)
            houses, opacity = np.ascontiguousarray(seen[:, :, :3]), seen[:, :, 3]
            solid = np.asarray(cv2.merge([opacity] * 3), np.uint8)
            near = scale(houses, np.ascontiguousarray(self._keep[:, strip.columns]))
            veil = scale(np.ascontiguousarray(self._haze[:, strip.columns]), solid)
            area = image[: self._rows, strip.columns]
            behind = scale(np.ascontiguousarray(area), np.asarray(255 - solid, np.uint8))
            area[:] = cv2.add(cv2.add(near, veil), behind)


def paint_sky(camera: Camera, weather: Weather, seed: int, rows: int) -> Bytes:
    """Return a gradient with clouds, and far roofs at the horizon."""
    share = np.clip((np.arange(rows) + 0.5) / camera.horizon_px, 0.0, 1.0)[:, None, None]
    sky = np.array(weather.sky_top) * (1.0 - share) + np.array(weather.sky_low) * share
    sky = np.repeat(sky, camera.width, axis=1)
    random = generator(seed, "sky")
    cloud = grain(random, 512, camera.width, 64)[:rows] // 2 + grain(random, 512, camera.width, 24)[:rows] // 4
    cloud = np.clip(cloud + grain(random, 512, camera.width, 8)[:rows] // 9 - 4, 0, 60)
    bright = {"day": 0.9, "dusk": -0.45, "night": 0.10}[weather.day_part]
    sky += cloud[:, :, None] * bright * (1.0 - share * 0.5)
    roof = 10 + grain(random, 64, camera.width, 16)[0] // 9 + grain(random, 64, camera.width, 48)[0] // 12
    far = np.arange(rows)[:, None] > (rows - 2 - np.clip(roof, 3, 40))[None, :]
    veil = np.array(weather.haze) * 0.80 + np.array(weather.ambient) * 255.0 * 0.09
    sky = np.where(far[:, :, None], veil, sky)
    return np.asarray(np.rint(np.clip(sky, 0, 255)), dtype=np.uint8)
