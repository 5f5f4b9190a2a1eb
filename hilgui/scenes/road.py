"""The road: its lanes, its painted texture, and its picture for a position of the car."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.scenes.camera import Camera, Floats
from hilgui.scenes.grain import Bytes, generator, grain, halve_columns, halve_rows, scale
from hilgui.scenes.weather import HEAD_TINT, LAMP_PERIOD_M, LAMP_TINT, Weather, head_light, lamp_light

ONCOMING_X = -3.5
BIKE_RIGHT_X, BIKE_LEFT_X = 2.5, -5.95
PARKED_RIGHT_X, PARKED_LEFT_X = 4.3, -7.65
KERB_RIGHT_X, KERB_LEFT_X = 5.4, -8.7
WALL_RIGHT_X, WALL_LEFT_X = 12.0, -15.0
ZEBRA_Z, ZEBRA_LENGTH_M = 70.0, 4.0

PERIOD_M = LAMP_PERIOD_M
EDGE_X = 16.0
TEXEL_X, TEXEL_Z = 0.02, 0.025
LEVELS = 9


def _column(x: float) -> int:
    return int((x + EDGE_X) / TEXEL_X)


def _row(z: float) -> int:
    return int(z / TEXEL_Z)


class _Paint:
    """Fills rectangles of the road given in metres."""

    def __init__(self, texture: NDArray[np.int16]) -> None:
        self._texture = texture

    def fill(self, x0: float, x1: float, z0: float, z1: float, bgr: tuple[int, int, int], keep: int = 0) -> None:
        """Paint a rectangle; `keep` of 256 parts of what was there shine through."""
        area = self._texture[_row(z0) : _row(z1), _column(x0) : _column(x1)]
        area[:] = (area.astype(np.int32) * keep + np.array(bgr, np.int32) * (256 - keep)) >> 8


def _asphalt(seed: int) -> NDArray[np.int16]:
    rows, columns = _row(PERIOD_M), _column(EDGE_X)
    random = generator(seed, "asphalt")
    level = grain(random, rows, columns, 1) // 9 + grain(random, rows, columns, 3) // 14
    level += grain(random, rows, columns, 24) // 20 + grain(random, rows, columns, 160) // 12
    return np.stack([level + 112, level + 109, level + 107], axis=-1)


def _wear(paint: _Paint, seed: int) -> None:
    random = generator(seed, "wear")
    for lane in (0.0, ONCOMING_X):
        paint.fill(lane - 0.30, lane + 0.30, 0, PERIOD_M, (74, 74, 76), 205)
        for track in (-0.85, 0.85):
            paint.fill(lane + track - 0.22, lane + track + 0.22, 0, PERIOD_M, (128, 126, 124), 212)
    for _ in range(16):
        x, z = -6.0 + 9.0 * random.random(), 88.0 * random.random()
        width, length = 0.6 + 1.5 * random.random(), 0.8 + 5.0 * random.random()
        paint.fill(x, x + width, z, z + length, (66, 64, 63), 70)
        paint.fill(x, x + width, z, z + 0.05, (46, 45, 45), 60)
        paint.fill(x, x + 0.04, z, z + length, (46, 45, 45), 60)


def _markings(paint: _Paint) -> None:
    white = (222, 226, 228)
    for start in np.arange(0.0, PERIOD_M, 8.0):
        paint.fill(-1.82, -1.68, float(start), float(start) + 3.0, white, 40)
    for x in (1.75, -5.25):
        for start in np.arange(0.0, PERIOD_M, 2.0):
            paint.fill(x - 0.06, x + 0.06, float(start), float(start) + 1.1, white, 60)
    for x in (3.25, -6.62):
        paint.fill(x - 0.05, x + 0.05, 0, PERIOD_M, white, 90)
    for start in np.arange(0.0, PERIOD_M, 6.4):
        paint.fill(3.25, KERB_RIGHT_X, float(start), float(start) + 0.1, white, 90)
        paint.fill(KERB_LEFT_X, -6.62, float(start), float(start) + 0.1, white, 90)


def _zebra(paint: _Paint) -> None:
    paint.fill(KERB_LEFT_X, KERB_RIGHT_X, ZEBRA_Z - 0.4, ZEBRA_Z + ZEBRA_LENGTH_M + 0.4, (84, 82, 81), 60)
    for x in np.arange(KERB_LEFT_X + 0.3, KERB_RIGHT_X - 0.5, 1.0):
        paint.fill(float(x), float(x) + 0.5, ZEBRA_Z, ZEBRA_Z + ZEBRA_LENGTH_M, (226, 229, 231), 36)
    paint.fill(-1.75, 1.75, ZEBRA_Z - 2.0, ZEBRA_Z - 1.6, (222, 226, 228), 40)


def _pavement(texture: NDArray[np.int16], paint: _Paint, seed: int) -> None:
    random = generator(seed, "pavement")
    slabs = random.integers(-9, 10, (int(PERIOD_M), 40), dtype=np.int16)
    shade = np.repeat(np.repeat(slabs, _row(1.0), 0), 40, 1)[:, :, None]
    grass = (
        grain(random, len(texture), texture.shape[1], 4) // 5 + grain(random, len(texture), texture.shape[1], 48) // 7
    )
    for x0, x1 in ((KERB_RIGHT_X, 9.2), (-12.4, KERB_LEFT_X)):
        area = texture[:, _column(x0) : _column(x1)]
        area[:] = (area >> 1) + shade[:, : area.shape[1]] + np.array((98, 104, 108), np.int16)
        for z in np.arange(0.0, PERIOD_M, 1.0):
            paint.fill(x0, x1, float(z), float(z) + 0.05, (104, 108, 110), 40)
        for x in np.arange(x0, x1, 0.8):
            paint.fill(float(x), float(x) + 0.04, 0, PERIOD_M, (104, 108, 110), 40)
    for x0, x1 in ((9.2, EDGE_X), (-EDGE_X, -12.4)):
        area = texture[:, _column(x0) : _column(x1)]
        area[:] = grass[:, _column(x0) : _column(x1), None] + np.array((62, 104, 86), np.int16)
    for x, inner in ((KERB_RIGHT_X, -1), (KERB_LEFT_X, 1)):
        paint.fill(x - 0.09, x + 0.09, 0, PERIOD_M, (168, 172, 174), 50)
        edge = x + inner * 0.09
        paint.fill(min(edge, edge + inner * 0.12), max(edge, edge + inner * 0.12), 0, PERIOD_M, (52, 52, 54), 60)


def paint_road(seed: int) -> Bytes:
    """Return the albedo of one period of the road."""
    texture = _asphalt(seed)
    paint = _Paint(texture)
    _wear(paint, seed)
    _markings(paint)
    _zebra(paint)
    _pavement(texture, paint, seed)
    fine = grain(generator(seed, "fine"), texture.shape[0], texture.shape[1], 2) // 16
    return np.asarray(np.clip(texture + fine[:, :, None], 0, 255), dtype=np.uint8)


def light_road(albedo: Bytes, weather: Weather) -> Bytes:
    """Return BGR under the sky and the lamps, and as fourth channel what headlights can find."""
    step = 8
    x = (np.arange(0, albedo.shape[1], step, dtype=np.float64) + step / 2) * TEXEL_X - EDGE_X
    z = (np.arange(0, albedo.shape[0], step, dtype=np.float64) + step / 2) * TEXEL_Z
    lamps = lamp_light(x[None, :], z[:, None]) * weather.lamps
    base = np.array(weather.ambient) + np.array(weather.sun) * weather.sun_from[1]
    light = np.minimum(base[None, None, :] + lamps[:, :, None] * LAMP_TINT, 1.0)
    dim = 1.0 - 0.40 * weather.wet
    small = np.rint(light * (255.0 * dim)).astype(np.uint8)
    large = cv2.resize(small, (albedo.shape[1], albedo.shape[0]), interpolation=cv2.INTER_LINEAR_EXACT)
    lit = scale(albedo, np.asarray(large, np.uint8))
    return np.concatenate([lit, albedo[:, :, 1:2]], axis=-1)


class _Band:
    """Rows of the picture that share one level of detail."""

    def __init__(self, texture: Bytes, level: int, x: Floats, ahead: Floats, rows: slice) -> None:
        self.rows = rows
        self._texture = np.concatenate([texture, texture[:1]])
        self._period = len(texture) * 32
        self._per_m = 32.0 / (TEXEL_Z * 2**level)
        self._ahead = ahead
        across = np.rint(((x + EDGE_X) / (2 * EDGE_X) * texture.shape[1] - 0.5) * 32.0)
        fixed = np.clip(across, 0, (texture.shape[1] - 1) * 32).astype(np.int32)
        self._whole = np.empty((*fixed.shape, 2), np.int16)
        self._whole[:, :, 0] = fixed >> 5
        self._part = (fixed & 31).astype(np.uint16)

    def look(self, ego_z: float) -> Bytes:
        along = np.rint((self._ahead + ego_z) * self._per_m).astype(np.int64) % self._period
        self._whole[:, :, 1] = (along >> 5).astype(np.int16)[:, None]
        part = self._part | ((along & 31) << 5).astype(np.uint16)[:, None]
        picture = cv2.remap(self._texture, self._whole, part, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(picture, np.uint8)


class Road:
    """Shows the lit road below the horizon."""

    def __init__(self, camera: Camera, weather: Weather, seed: int) -> None:
        across, fall, forward = camera.rays()
        self.first_row = int(camera.horizon_px) + 2
        reach = camera.height_m / -fall[self.first_row :]
        self.ahead = reach * forward[self.first_row :]
        x = reach[:, None] * across[None, :]
        self._bands = list(self._cut(light_road(paint_road(seed), weather), camera, x))
        self._beam = self._headlights(weather, x)
        share = self.ahead / (self.ahead + weather.haze_m)
        keep = np.rint((1.0 - share) * 255.0).astype(np.uint8)
        self._keep = np.ascontiguousarray(np.broadcast_to(keep[:, None, None], (*x.shape, 3)))
        haze = np.rint(share[:, None] * np.array(weather.haze)[None, :]).astype(np.uint8)
        self._haze = np.ascontiguousarray(np.broadcast_to(haze[:, None, :], (*x.shape, 3)))

    def _cut(self, texture: Bytes, camera: Camera, x: Floats) -> list[_Band]:
        footprint = self.ahead * self.ahead / (camera.fy * camera.height_m)
        levels = np.clip(np.ceil(np.log2(footprint / TEXEL_Z) - 0.35), 0, LEVELS - 1).astype(int)
        bands = []
        for level in range(LEVELS):
            found = np.flatnonzero(levels == level)
            if len(found):
                rows = slice(int(found[0]), int(found[-1]) + 1)
                bands.append(_Band(texture, level, x[rows], self.ahead[rows], rows))
            if len(texture) % 2:
                break
            texture = halve_rows(texture)
            if level % 2:
                texture = halve_columns(texture)
        return bands

    def _headlights(self, weather: Weather, x: Floats) -> Bytes | None:
        if not weather.headlights:
            return None
        ahead = np.broadcast_to(self.ahead[:, None], x.shape)
        grazing = 1.0 / (1.0 + ahead * ahead / 420.0)
        near = np.clip((ahead - 2.5) / 3.5, 0.15, 1.0)
        beam = head_light(x, np.zeros_like(x), ahead) * grazing * near * weather.headlights
        return np.asarray(np.rint(beam[:, :, None] * HEAD_TINT * 255.0), dtype=np.uint8)

    def look(self, ego_z: float) -> Bytes:
        """Return the rows from `first_row` down."""
        picture = np.concatenate([band.look(ego_z) for band in reversed(self._bands)])
        ground = np.ascontiguousarray(picture[:, :, :3])
        if self._beam is not None:
            found = cv2.merge([picture[:, :, 3]] * 3)
            ground = np.asarray(cv2.add(ground, scale(np.asarray(found, np.uint8), self._beam)), np.uint8)
        return np.asarray(cv2.add(scale(ground, self._keep), self._haze), np.uint8)
