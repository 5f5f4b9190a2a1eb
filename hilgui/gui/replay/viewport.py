"""Which part of a picture a pane shows, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace

LARGEST = 32.0
ZOOM_STEP = 1.25


@dataclass(frozen=True, slots=True)
class Viewport:
    """A pane of `pane` size shows a picture of `image` size; both in logical pixels of their own.

    `centre` is the point of the picture in the middle of the pane. `is_fit` keeps the whole picture in view when the
    pane or the picture changes its size.
    """

    pane: tuple[float, float]
    image: tuple[int, int]
    scale: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)
    is_fit: bool = True

    @property
    def origin(self) -> tuple[float, float]:
        """Give where the picture's corner lies in the pane."""
        return (
            self.pane[0] / 2 - self.centre[0] * self.scale,
            self.pane[1] / 2 - self.centre[1] * self.scale,
        )

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Turn a point of the pane into one of the picture."""
        left, top = self.origin
        return (x - left) / self.scale, (y - top) / self.scale

    def to_pane(self, x: float, y: float) -> tuple[float, float]:
        """Turn a point of the picture into one of the pane."""
        left, top = self.origin
        return left + x * self.scale, top + y * self.scale

    def visible(self) -> tuple[int, int, int, int]:
        """Give the whole pixels x1 y1 x2 y2 of the picture that are in sight, at least partly."""
        x1, y1 = self.to_image(0, 0)
        x2, y2 = self.to_image(*self.pane)
        width, height = self.image
        return (
            min(max(int(x1), 0), width),
            min(max(int(y1), 0), height),
            min(max(int(x2) + 1, 0), width),
            min(max(int(y2) + 1, 0), height),
        )


def fit(view: Viewport) -> Viewport:
    """Show the whole picture, as large as the pane allows."""
    return replace(view, scale=_fitting(view), centre=(view.image[0] / 2, view.image[1] / 2), is_fit=True)


def actual_size(view: Viewport, device_ratio: float = 1.0) -> Viewport:
    """Show one pixel of the picture on one of the screen, around the same centre."""
    return _held(replace(view, scale=1.0 / device_ratio, is_fit=False))


def zoomed(view: Viewport, factor: float, x: float, y: float) -> Viewport:
    """Zoom by a factor; the point of the picture under (x, y) of the pane stays there."""
    smallest = min(_fitting(view), 1.0) / 2
    scale = min(max(view.scale * factor, smallest), LARGEST)
    at_x, at_y = view.to_image(x, y)
    centre = (at_x + (view.pane[0] / 2 - x) / scale, at_y + (view.pane[1] / 2 - y) / scale)
    return _held(replace(view, scale=scale, centre=centre, is_fit=False))


def panned(view: Viewport, dx: float, dy: float) -> Viewport:
    """Drag the picture by some pixels of the pane."""
    centre = (view.centre[0] - dx / view.scale, view.centre[1] - dy / view.scale)
    return _held(replace(view, centre=centre, is_fit=False))


def brought_into_sight(view: Viewport, box: tuple[float, float, float, float]) -> Viewport:
    """Move as little as needed for a box of the picture to be seen; a fitted picture shows everything already."""
    if view.is_fit:
        return view
    x1, y1 = view.to_pane(box[0], box[1])
    x2, y2 = view.to_pane(box[2], box[3])
    if x1 >= 0 and y1 >= 0 and x2 <= view.pane[0] and y2 <= view.pane[1]:
        return view
    return _held(replace(view, centre=((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)))


def resized(view: Viewport, pane: tuple[float, float], image: tuple[int, int]) -> Viewport:
    """Take another pane or picture size; a fitted view stays fitted, another keeps its centre."""
    if pane == view.pane and image == view.image:
        return view
    renewed = replace(view, pane=pane, image=image)
    return fit(renewed) if view.is_fit else _held(renewed)


def _fitting(view: Viewport) -> float:
    width, height = max(view.image[0], 1), max(view.image[1], 1)
    return max(min(view.pane[0] / width, view.pane[1] / height), 1e-3)


def _held(view: Viewport) -> Viewport:
    """Keep the picture in the pane: centred where it is smaller, without a gap where it is larger."""
    centre = tuple(
        _held_axis(view.centre[axis], view.pane[axis] / view.scale, float(view.image[axis])) for axis in (0, 1)
    )
    return replace(view, centre=(centre[0], centre[1]))


def _held_axis(centre: float, seen: float, size: float) -> float:
    if seen >= size:
        return size / 2
    return min(max(centre, seen / 2), size - seen / 2)
