"""Short videos of a drawn person, in pixels: what the estimator of notebook 5 is given.

The person moves as `motions` says. A drawing is no photo; but it is found and followed in the same
way, by a network that was trained on photos.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from motions import perform
from skelact.pose.video import VideoWriter

SIZE, FPS, SECONDS = (240, 304), 10.0, 2.6
_SCALE = 2  # drawn larger, then made smaller: smooth edges
_SKINS = ((224, 172, 105), (141, 85, 36), (241, 194, 125), (198, 134, 66), (255, 219, 172))


def write_video(path: Path, actions: Sequence[str], person: int, seconds: float = SECONDS) -> Path:
    """Write one person who does some actions, one after another, each for some seconds."""
    body = np.random.default_rng((person, 1))
    colours = {"shirt": tuple(body.integers(30, 220, 3).tolist()),
               "trousers": tuple(body.integers(20, 110, 3).tolist()),
               "hair": tuple(body.integers(10, 90, 3).tolist()),
               "skin": _SKINS[body.integers(len(_SKINS))]}
    room = _draw_room(np.random.default_rng((person, 2)))
    with VideoWriter(path, FPS, SIZE) as writer:
        for action in actions:
            places = _project(perform(action, person, 0, seconds, FPS))
            for frame in range(round(seconds * FPS)):
                at = {name: place[:, frame] for name, place in places.items()}
                writer.write(_draw(room, at, colours))
    return path


def _project(joints: dict) -> dict:
    """Name -> ``[2, T]`` pixels; the camera stands where the whole person is in the picture."""
    middle = joints["pelvis"].mean(axis=1)
    focal = 1.25 * SIZE[1] * _SCALE
    places = {}
    for name, (x, y, z) in joints.items():
        depth = z - middle[2] + 3.2
        places[name] = np.stack([SIZE[0] * _SCALE / 2 - focal * (x - middle[0]) / depth,
                                 SIZE[1] * _SCALE / 2 - focal * (y + 0.05) / depth])
    return places


def _draw_room(chance: np.random.Generator) -> Image.Image:
    """A wall and a floor."""
    width, height = SIZE[0] * _SCALE, SIZE[1] * _SCALE
    wall = np.linspace(200, 140, height)[:, None, None] * chance.uniform(0.8, 1.1, 3)
    room = np.repeat(wall, width, axis=1)
    room[int(0.85 * height):] *= 0.5
    return Image.fromarray(room.astype(np.uint8))


def _draw(room: Image.Image, at: dict, colours: dict) -> np.ndarray:
    """``[H, W, 3]`` one frame."""
    image = room.copy()
    pen = ImageDraw.Draw(image)
    legs = np.linalg.norm(at["left_shoulder"] - at["left_ankle"])
    unit = max(np.linalg.norm(at["left_shoulder"] - at["right_shoulder"]), 0.22 * legs)
    shirt, trousers, skin = colours["shirt"], colours["trousers"], colours["skin"]
    for side in ("left", "right"):
        _limb(pen, at[f"{side}_ankle"], at[f"{side}_foot"], 0.2 * unit, (30, 30, 30))
        _limb(pen, at[f"{side}_hip"], at[f"{side}_knee"], 0.36 * unit, trousers)
        _limb(pen, at[f"{side}_knee"], at[f"{side}_ankle"], 0.25 * unit, trousers)
    _draw_trunk(pen, at, unit, shirt)
    _limb(pen, (at["left_shoulder"] + at["right_shoulder"]) / 2, at["head"], 0.22 * unit, skin)
    for side in ("left", "right"):
        _limb(pen, at[f"{side}_shoulder"], at[f"{side}_elbow"], 0.25 * unit, shirt)
        _limb(pen, at[f"{side}_elbow"], at[f"{side}_hand"], 0.17 * unit, skin)
    _draw_head(pen, at, unit, skin, colours["hair"])
    return np.asarray(image.resize(SIZE, Image.Resampling.BOX))


def _draw_trunk(pen: ImageDraw.ImageDraw, at: dict, unit: float, colour) -> None:
    for share in np.linspace(0, 1, 16):
        left, right = (at[f"{side}_shoulder"] * (1 - share) + at[f"{side}_hip"] * share
                       for side in ("left", "right"))
        _limb(pen, left, right, 0.3 * unit, _shade(colour, 1 - 0.1 * abs(share - 0.5)), False)


def _draw_head(pen: ImageDraw.ImageDraw, at: dict, unit: float, skin, hair) -> None:
    face = 0.7 * at["head"] + 0.3 * at["nose"]
    _oval(pen, at["head"] - (0, 0.07 * unit), 0.32 * unit, 0.37 * unit, hair)
    _oval(pen, face + (0, 0.05 * unit), 0.3 * unit, 0.37 * unit, skin)
    for side in ("left", "right"):
        eye = at[f"{side}_eye"]
        _oval(pen, eye, 0.07 * unit, 0.035 * unit, (245, 245, 245))
        _oval(pen, eye, 0.03 * unit, 0.03 * unit, (40, 25, 20))
        _oval(pen, eye - (0, 0.08 * unit), 0.08 * unit, 0.012 * unit, hair)
    _oval(pen, at["nose"], 0.04 * unit, 0.07 * unit, _shade(skin, 0.8))
    _oval(pen, at["nose"] + (0, 0.17 * unit), 0.1 * unit, 0.03 * unit, (170, 70, 70))


def _limb(pen: ImageDraw.ImageDraw, start, end, width: float, colour, lit: bool = True) -> None:
    """A thick line with round ends, with light along its middle."""
    for share, light in ((1.0, 0.75), (0.75, 0.95), (0.35, 1.1)) if lit else ((1.0, 1.0),):
        wide, ink = width * share, _shade(colour, light)
        pen.line([*start, *end], fill=ink, width=max(1, round(wide)))
        for place in (start, end):
            _oval(pen, place, wide / 2, wide / 2, ink)


def _oval(pen: ImageDraw.ImageDraw, middle, across: float, down: float, colour) -> None:
    pen.ellipse([middle[0] - across, middle[1] - down, middle[0] + across, middle[1] + down],
                fill=colour)


def _shade(colour, light: float) -> tuple[int, ...]:
    return tuple(min(255, round(light * value)) for value in colour)
