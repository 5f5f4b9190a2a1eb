"""Light and weather of a drive: what the sun, the street lamps and the headlights make of a colour."""

from dataclasses import dataclass

import numpy as np

from hilgui.scenes.camera import Floats

BGR = tuple[float, float, float]

LAMP_PERIOD_M = 96.0
LAMPS = ((5.9, 8.0), (5.9, 40.0), (-9.2, 24.0))  # x, z: the zebra crossing at 70 m stays dark


@dataclass(frozen=True, slots=True)
class Weather:
    """Everything that tells a bright day from a rainy dusk and from the night."""

    name: str
    day_part: str
    rain: bool
    ambient: BGR
    sun: BGR
    sun_from: tuple[float, float, float]  # unit vector towards the sun
    haze: BGR
    haze_m: float  # half of the contrast is gone at this distance
    sky_top: BGR
    sky_low: BGR
    headlights: float
    lamps: float
    windows: float  # how many windows are lit, 0..1
    wet: float
    streaks: int
    noise: int
    shadows: float


DAY = Weather(
    name="day", day_part="day", rain=False,
    ambient=(0.66, 0.60, 0.56), sun=(0.36, 0.46, 0.52), sun_from=(-0.48, 0.72, -0.50),
    haze=(222.0, 210.0, 198.0), haze_m=420.0, sky_top=(214.0, 152.0, 92.0), sky_low=(238.0, 224.0, 206.0),
    headlights=0.0, lamps=0.0, windows=0.0, wet=0.0, streaks=0, noise=2, shadows=0.52,
)  # fmt: skip
DUSK_RAIN = Weather(
    name="dusk_rain", day_part="dusk", rain=True,
    ambient=(0.44, 0.38, 0.36), sun=(0.0, 0.0, 0.0), sun_from=(0.0, 1.0, 0.0),
    haze=(122.0, 108.0, 104.0), haze_m=110.0, sky_top=(92.0, 74.0, 66.0), sky_low=(138.0, 138.0, 148.0),
    headlights=0.30, lamps=0.34, windows=0.35, wet=0.42, streaks=170, noise=3, shadows=0.30,
)  # fmt: skip
NIGHT = Weather(
    name="night", day_part="night", rain=False,
    ambient=(0.104, 0.082, 0.074), sun=(0.0, 0.0, 0.0), sun_from=(0.0, 1.0, 0.0),
    haze=(30.0, 23.0, 20.0), haze_m=240.0, sky_top=(20.0, 12.0, 9.0), sky_low=(46.0, 34.0, 32.0),
    headlights=0.86, lamps=0.54, windows=0.30, wet=0.0, streaks=0, noise=5, shadows=0.0,
)  # fmt: skip
CONDITIONS = {weather.name: weather for weather in (DAY, DUSK_RAIN, NIGHT)}

HEAD_TINT = np.array((0.86, 0.97, 1.0))
LAMP_TINT = np.array((0.52, 0.80, 1.0))


def lamp_light(x: Floats, z: Floats) -> Floats:
    """Return how strongly the street lamps reach points of the world, 0..1."""
    light = np.zeros(np.broadcast(x, z).shape)
    for lamp_x, lamp_z in LAMPS:
        along = (z - lamp_z + LAMP_PERIOD_M / 2) % LAMP_PERIOD_M - LAMP_PERIOD_M / 2
        across = x - lamp_x * 0.72  # the arm reaches over the road
        spread = 1.0 + (along * along + across * across) / 46.0
        light += 1.0 / (spread * spread)
    return np.minimum(light, 1.0)


def head_light(x: Floats, y: Floats, ahead: Floats) -> Floats:
    """Return how strongly the low beam reaches points relative to the car, 0..1.

    The beam is cut off above 0.8 m: legs are bright, faces stay dark.
    """
    reach = np.maximum(ahead, 0.5)
    slant = (x - 0.05 * reach) / (0.34 * reach + 0.9)
    slant = slant * slant
    distance = reach / 24.0
    below = np.clip((1.35 - y) / 0.65, 0.0, 1.0)
    return (0.30 + 0.70 * below) / ((1.0 + slant * slant) * (1.0 + distance * distance))


def surface_light(weather: Weather, points: Floats, normals: Floats, ego_z: float) -> Floats:
    """Return the light (N, 3) in BGR on surfaces at points relative to the car."""
    lift = 0.86 + 0.14 * normals[:, 1]
    light = np.array(weather.ambient)[None, :] * lift[:, None]
    if weather.shadows and weather.sun[0]:
        toward = weather.sun_from
        cosine = normals[:, 0] * toward[0] + normals[:, 1] * toward[1] + normals[:, 2] * toward[2]
        light = light + np.array(weather.sun)[None, :] * np.maximum(cosine, 0.0)[:, None]
    if weather.lamps:
        lamps = lamp_light(points[:, 0], points[:, 2] + ego_z) * weather.lamps
        light = light + lamps[:, None] * LAMP_TINT[None, :] * (0.45 + 0.55 * np.abs(normals[:, 1]))[:, None]
    if weather.headlights:
        heads = head_light(points[:, 0], points[:, 1], points[:, 2]) * weather.headlights
        facing = np.clip(-normals[:, 2], 0.12, 1.0)
        light = light + (heads * facing)[:, None] * HEAD_TINT[None, :]
    return light


def through_haze(weather: Weather, colours: Floats, ahead_m: float) -> Floats:
    """Return colours as they arrive from a distance."""
    share = ahead_m / (ahead_m + weather.haze_m)
    return colours * (1.0 - share) + np.array(weather.haze)[None, :] * share
