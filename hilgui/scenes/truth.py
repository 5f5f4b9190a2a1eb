"""Truth of a drive as COCO records: every frame is listed, also the empty ones."""

import json
from pathlib import Path
from typing import Any

from hilgui.scenes.camera import Camera
from hilgui.scenes.render import FPS, VERSION, Picture, Sight
from hilgui.scenes.traffic import CLASSES
from hilgui.scenes.weather import Weather

SMALLEST_PX = 28.0
MOST_HIDDEN = 0.60
MOST_CUT = 0.60


def is_ignored(sight: Sight) -> bool:
    """Whether an object is too small or too hidden to be asked for."""
    return sight.box[3] < SMALLEST_PX or sight.occlusion > MOST_HIDDEN or sight.truncation > MOST_CUT


class Truth:
    """Collects pictures of one drive and writes one COCO file."""

    def __init__(self, name: str, seed: int, weather: Weather, camera: Camera) -> None:
        self._name = name
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._camera = camera
        self._info = {
            "description": f"Rendered road scene '{name}' of hilgui.scenes; the box holds every pixel of the object "
            "inside the picture, hidden ones too; distance_m is along the road to its nearest end",
            "version": str(VERSION),
            "seed": seed,
            "conditions": {"day_part": weather.day_part, "weather": "rain" if weather.rain else "clear"},
            "camera": camera.as_record(FPS),
        }

    def add(self, picture: Picture) -> None:
        """Append one frame and its objects."""
        image_id = picture.index + 1
        self._images.append(
            {
                "id": image_id,
                "video_id": 1,
                "file_name": f"{self._name}.mp4#{picture.index:06d}",
                "width": self._camera.width,
                "height": self._camera.height,
                "frame_index": picture.index,
                "timestamp_s": round(picture.index / FPS, 6),
            }
        )
        for sight in picture.sights:
            self._annotations.append(self._annotation(sight, image_id))

    def _annotation(self, sight: Sight, image_id: int) -> dict[str, Any]:
        blue, green, red = sight.colour
        return {
            "id": len(self._annotations) + 1,
            "image_id": image_id,
            "category_id": CLASSES.index(sight.category) + 1,
            "bbox": [round(value, 2) for value in sight.box],
            "area": round(sight.box[2] * sight.box[3], 2),
            "iscrowd": 0,
            "ignore": int(is_ignored(sight)),
            "track_id": sight.track,
            "distance_m": round(sight.distance_m, 2),
            "occlusion": round(sight.occlusion, 4),
            "truncation": round(sight.truncation, 4),
            "speed_mps": round(sight.speed_mps, 2),
            "colour": f"#{red:02x}{green:02x}{blue:02x}",
        }

    def record(self) -> dict[str, Any]:
        """Return the whole COCO record."""
        camera = self._camera
        video = {"id": 1, "name": self._name, "file_name": f"{self._name}.mp4", "fps": FPS,
                 "width": camera.width, "height": camera.height}  # fmt: skip
        return {
            "info": self._info,
            "licenses": [{"id": 1, "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}],
            "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, start=1)],
            "videos": [video],
            "images": self._images,
            "annotations": self._annotations,
        }

    def write(self, path: Path) -> None:
        """Write the COCO file."""
        path.write_text(json.dumps(self.record(), separators=(",", ":")) + "\n", encoding="utf-8")
