"""Who moves through a drive: seeded actors with simple manners, and the car that films them."""

from dataclasses import dataclass, field

import numpy as np

from hilgui.scenes import road
from hilgui.scenes.canvas import Colour
from hilgui.scenes.figures import BRIGHT, DARK, HAIRS, SKINS, Clothes
from hilgui.scenes.grain import generator
from hilgui.scenes.solids import Mesh
from hilgui.scenes.vehicles import PAINTS, VAN_PAINTS, Size, build_car, build_truck
from hilgui.scenes.weather import Weather

PERSON, CYCLIST, CAR, TRUCK = range(4)
CLASSES = ("person", "cyclist", "car", "truck")

HALF_TURN = 3.141592654
QUARTER_TURN = 1.570796327
ACCELERATION, COMFORT, EMERGENCY = 1.8, 2.6, -8.0


@dataclass(slots=True)
class Actor:
    """One road user; positions are metres in the world, the car that films starts at z = 0."""

    track: int
    kind: int
    x: float
    z: float
    length_m: float
    width_m: float
    heading_rad: float = 0.0
    speed: float = 0.0
    wanted: float = 0.0
    accel: float = 0.0
    phase: float = 0.0
    colour: Colour = (0, 0, 0)
    mesh: Mesh | None = None
    clothes: Clothes | None = None
    trigger_m: float = 0.0  # a person who waits starts to cross when the car is this near
    goal_x: float | None = None

    @property
    def is_crossing(self) -> bool:
        """Whether this person is on the way over the road."""
        return self.goal_x is not None and self.speed > 0


@dataclass(slots=True)
class Ego:
    """The car with the camera."""

    z: float = 0.0
    speed: float = 9.0
    wanted: float = 10.5
    accel: float = 0.0


def follow(speed: float, wanted: float, gap: float | None, closing: float) -> float:
    """Return the acceleration of a careful driver (intelligent driver model)."""
    ratio = speed / max(wanted, 0.1)
    free = ratio * ratio * ratio * ratio
    near = 0.0
    if gap is not None:
        room = 2.5 + max(0.0, speed * 1.1 + speed * closing / (2.0 * (ACCELERATION * COMFORT) ** 0.5))
        near = (room / max(gap, 0.3)) * (room / max(gap, 0.3))
    return min(max(ACCELERATION * (1.0 - free - near), EMERGENCY), ACCELERATION)


@dataclass(slots=True)
class Traffic:
    """All actors of a drive, and the car that films."""

    ego: Ego
    actors: list[Actor] = field(default_factory=list)

    def step(self, dt: float) -> None:
        """Move everybody by one frame."""
        self._drive_ego(dt)
        for actor in self.actors:
            if actor.kind == PERSON:
                self._walk(actor, dt)
            elif actor.wanted:
                self._drive(actor, dt)

    def _drive_ego(self, dt: float) -> None:
        ego = self.ego
        gap, closing = self._ahead(0.0, ego.z + 1.2, 1.0, ego.speed, None)
        ego.accel = follow(ego.speed, ego.wanted, gap, closing)
        ego.speed = max(0.0, ego.speed + ego.accel * dt)
        ego.z += ego.speed * dt

    def _ahead(
        self, lane_x: float, front: float, way: float, speed: float, me: Actor | None
    ) -> tuple[float | None, float]:
        gap, closing = None, 0.0
        for other in self.actors:
            if other is me:
                continue
            distance = (other.z - front) * way - other.length_m / 2
            if not -1.0 < distance < 70.0 or (gap is not None and distance > gap):
                continue
            if not _blocks(other, lane_x):
                continue
            gap = distance
            along = 0.0 if other.kind == PERSON else other.speed * (1.0 if other.heading_rad == 0.0 else -1.0)
            closing = speed - along * way
        return gap, closing

    def _drive(self, actor: Actor, dt: float) -> None:
        way = 1.0 if actor.heading_rad == 0.0 else -1.0
        front = actor.z + way * actor.length_m / 2
        gap, closing = self._ahead(actor.x, front, way, actor.speed, actor)
        if way > 0 and actor.x == 0.0 and actor.z < self.ego.z:
            gap, closing = None, 0.0
        actor.accel = follow(actor.speed, actor.wanted, gap, closing)
        actor.speed = max(0.0, actor.speed + actor.accel * dt)
        actor.z += way * actor.speed * dt
        actor.phase += actor.speed * dt * (1.9 if actor.kind == CYCLIST else 0.0)

    def _walk(self, actor: Actor, dt: float) -> None:
        if actor.goal_x is not None and actor.speed == 0.0:
            distance = actor.z - self.ego.z
            if actor.x != actor.goal_x and 2.0 < distance < actor.trigger_m:
                actor.speed = actor.wanted
        if actor.goal_x is None:
            actor.z += actor.speed * dt * (1.0 if actor.heading_rad == 0.0 else -1.0)
        elif actor.speed:
            way = 1.0 if actor.heading_rad > 0 else -1.0
            actor.x += way * actor.speed * dt
            if (actor.goal_x - actor.x) * way <= 0:
                actor.x, actor.speed = actor.goal_x, 0.0
        actor.phase += actor.speed * dt * 4.3


def _blocks(other: Actor, lane_x: float) -> bool:
    offset = other.x - lane_x
    if other.kind != PERSON:
        return abs(offset) < 1.0 + other.width_m / 2 - 0.2
    if not other.is_crossing:
        return abs(offset) < 1.5
    later = offset + (1.0 if other.heading_rad > 0 else -1.0) * other.speed * 1.8
    return min(abs(offset), abs(later)) < 1.7 or offset * later < 0


class Casting:
    """Places the actors of one drive."""

    def __init__(self, seed: int, weather: Weather, seconds: float, people: bool = True) -> None:
        self._seed = seed
        self._weather = weather
        self._length = seconds * 10.5 + 170.0
        self._people = people
        self._actors: list[Actor] = []

    def cast(self) -> Traffic:
        """Return everybody at the start of the drive."""
        self._parked()
        self._lane()
        self._oncoming()
        if self._people:
            self._cyclists()
            self._pavements()
            self._zebras()
            self._step_outs()
        wanted = {"day": 10.5, "dusk": 9.5, "night": 9.5}[self._weather.day_part]
        return Traffic(Ego(speed=wanted * 0.9, wanted=wanted), self._actors)

    def _add(self, kind: int, x: float, z: float, length: float, width: float) -> Actor:
        actor = Actor(len(self._actors) + 1, kind, x, z, length, width)
        self._actors.append(actor)
        return actor

    def _vehicle(self, random: np.random.Generator, x: float, z: float, trucks: float, facing: float) -> Actor:
        if random.random() < trucks:
            van = random.random() < 0.7
            size = Size(5.6, 2.0, 2.5) if van else Size(8.4, 2.4, 3.3)
            colour = VAN_PAINTS[int(random.integers(0, len(VAN_PAINTS)))]
            actor = self._add(TRUCK, x, z, size.length_m, size.width_m)
            actor.mesh = build_truck(size, colour)
        else:
            sizes = (Size(4.1, 1.75, 1.48), Size(4.6, 1.82, 1.44), Size(4.5, 1.88, 1.68), Size(3.7, 1.66, 1.52))
            size = sizes[int(random.integers(0, len(sizes)))]
            colour = PAINTS[int(random.integers(0, len(PAINTS)))]
            actor = self._add(CAR, x, z, size.length_m, size.width_m)
            actor.mesh = build_car(size, colour)
        actor.colour, actor.heading_rad = colour, facing
        return actor

    def _parked(self) -> None:
        random = generator(self._seed, "parked")
        for x, facing in ((road.PARKED_RIGHT_X, 0.0), (road.PARKED_LEFT_X, HALF_TURN)):
            z = 8.0 + 5.0 * random.random()
            while z < self._length:
                near_zebra = -9.0 < (z - road.ZEBRA_Z + 48.0) % road.PERIOD_M - 48.0 < 12.0
                if not near_zebra and random.random() < 0.44:
                    actor = self._vehicle(random, x + 0.2 * random.random() - 0.1, z, 0.2, facing)
                    z += actor.length_m / 2 - 2.2
                z += 6.4

    def _lane(self) -> None:
        random = generator(self._seed, "lane")
        z = 34.0 + 22.0 * random.random()
        for trucks in (0.12, 0.5):
            actor = self._vehicle(random, 0.0, z, trucks, 0.0)
            actor.speed = actor.wanted = 9.5 + 3.0 * random.random()
            z += 22.0 + 40.0 * random.random()

    def _oncoming(self) -> None:
        random = generator(self._seed, "oncoming")
        z = 35.0 + 25.0 * random.random()
        while z < self._length * 1.9:
            actor = self._vehicle(random, road.ONCOMING_X, z, 0.22, HALF_TURN)
            actor.speed = actor.wanted = 8.0 + 3.0 * random.random()
            z += 16.0 + 44.0 * random.random()

    def _clothes(self, random: np.random.Generator) -> Clothes:
        dark = random.random() < (0.72 if self._weather.day_part == "night" else 0.35)
        palette = DARK if dark else BRIGHT
        top = palette[int(random.integers(0, len(palette)))]
        legs = DARK[int(random.integers(0, len(DARK)))]
        skin = SKINS[int(random.integers(0, len(SKINS)))]
        hair = HAIRS[int(random.integers(0, len(HAIRS)))]
        height = 1.58 + 0.30 * random.random() - (0.4 if random.random() < 0.1 else 0.0)
        bag, coat = random.random() < 0.3, random.random() < 0.25
        shade = BRIGHT[int(random.integers(0, len(BRIGHT)))]
        umbrella = shade if random.random() < 0.4 and self._weather.rain else None
        return Clothes(top, legs, skin, hair, height, bag, coat, umbrella)

    def _person(self, random: np.random.Generator, x: float, z: float) -> Actor:
        actor = self._add(PERSON, x, z, 0.5, 0.5)
        actor.clothes = self._clothes(random)
        actor.colour = actor.clothes.top
        actor.phase = 6.2 * random.random()
        return actor

    def _cyclists(self) -> None:
        random = generator(self._seed, "cyclists")
        for x, facing, share in ((road.BIKE_RIGHT_X, 0.0, 0.55), (road.BIKE_LEFT_X, HALF_TURN, 1.0)):
            z = 14.0 + 12.0 * random.random()
            while z < self._length * share + 60.0:
                actor = self._add(CYCLIST, x + 0.3 * random.random() - 0.15, z, 1.8, 0.5)
                actor.clothes = self._clothes(random)
                actor.colour, actor.heading_rad = actor.clothes.top, facing
                actor.speed = actor.wanted = 3.8 + 2.2 * random.random()
                actor.phase = 6.2 * random.random()
                z += 18.0 + 30.0 * random.random()

    def _pavements(self) -> None:
        random = generator(self._seed, "pavements")
        for low, high in ((6.5, 8.8), (-12.0, -9.9)):
            z = 8.0 + 6.0 * random.random()
            while z < self._length:
                actor = self._person(random, low + (high - low) * random.random(), z)
                actor.heading_rad = 0.0 if random.random() < 0.5 else HALF_TURN
                actor.speed = actor.wanted = 0.0 if random.random() < 0.12 else 0.9 + 0.8 * random.random()
                z += 1.0 if random.random() < 0.16 else 7.0 + 13.0 * random.random()

    def _cross(self, actor: Actor, goal: float, speed: float, trigger: float) -> None:
        actor.goal_x, actor.wanted, actor.trigger_m = goal, speed, trigger
        actor.heading_rad = QUARTER_TURN if goal > actor.x else -QUARTER_TURN

    def _zebras(self) -> None:
        random = generator(self._seed, "zebras")
        for start in np.arange(road.ZEBRA_Z, self._length, road.PERIOD_M):
            for _ in range(int(random.integers(2, 5))):
                right = random.random() < 0.6
                x, goal = (5.9, -9.4) if right else (-9.2, 6.0)
                z = float(start) + 0.5 + 3.0 * random.random()
                actor = self._person(random, x + 0.4 * random.random(), z)
                self._cross(actor, goal, 1.1 + 0.7 * random.random(), 26.0 + 16.0 * random.random())

    def _step_outs(self) -> None:
        random = generator(self._seed, "step outs")
        last = 0.0
        for parked in [actor for actor in self._actors if actor.kind in (CAR, TRUCK) and not actor.wanted]:
            right = parked.x > 0
            if not right or parked.z - last < 38.0:
                continue
            last = parked.z
            actor = self._person(random, parked.x + 0.5, parked.z + parked.length_m / 2 + 0.7)
            self._cross(actor, -9.4, 1.4 + 0.7 * random.random(), 19.0 + 7.0 * random.random())
