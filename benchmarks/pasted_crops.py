"""Training crops with another object in hand every time; see rgb_objects.py."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
from composed_clips import CUTS, FIRST, Hold, Scene
from drawn_objects import KINDS, HeldObject, paste

from skelact.pixel_config import PixelCut
from skelact.rgb.frames import cut_square, find_squares

EMPTY = len(KINDS)
"""The class of a hand that holds nothing."""
UNSURE = -100
"""The class of a crop that shows a part of an object; not learned from."""
STEP = 2
"""Frames of a scene from the first crop of a pair to the second."""
_WIDER = {"hands": 1.5, "person": 1.5, "frame": 1.0}
"""What is kept of a scene, in sides of the crop, so that it can be moved and turned."""
_RESOLUTION = 1.5
"""Pixels that are kept for one of the crop; 1 where `_WIDER` already gives them."""


class PastedCrops:
    """Pairs of crops out of training scenes, an object pasted into each at random.

    Args:
        scenes: Of training.
        things: Objects of each kind to choose from.
        region: One of `CUTS`.
    """

    def __init__(self, scenes: list[Scene], things: list[list[HeldObject]], region: str):
        self.scenes, self.things = scenes, things
        self.region, self.size = region, CUTS[region].size
        cut = CUTS[region]
        margin = (_WIDER[region] * (1 + 2 * cut.margin) - 1) / 2
        wide = PixelCut(region, size=round(_RESOLUTION * cut.size), margin=margin)
        self.squares = [find_squares(scene.recording, 1, wide)[1] for scene in scenes]
        self.images = [[[None if np.isnan(square).any() else cut_square(image, square, wide.size)
                         for image, square in zip(scene.images, view.T, strict=True)]
                        for view in squares]
                       for scene, squares in zip(scenes, self.squares, strict=True)]
        self.groups = [[[row for row, scene in enumerate(scenes)
                         if scene.moving == moving and scene.video == video]
                        for video in sorted({s.video for s in scenes if s.moving == moving})]
                       for moving in (False, True)]

    def draw(self, count: int, random: np.random.Generator
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``[B, 2, H, W, 3]`` uint8 crops, ``[B, 2]`` kinds and ``[B]`` motions.

        As many of each motion and, of each motion, of every video.
        """
        pixels = np.empty((count, 2, self.size, self.size, 3), np.uint8)
        kinds = np.empty((count, 2), np.int64)
        motions = random.integers(0, 2, count)
        for i, motion in enumerate(motions):
            videos = self.groups[motion]
            row = int(random.choice(videos[random.integers(len(videos))]))
            pixels[i], kinds[i] = self._pair(row, random)
        return pixels, kinds, motions

    def _pair(self, row: int, random: np.random.Generator) -> tuple[np.ndarray, list[int]]:
        scene, hold = self.scenes[row], Hold.draw(self.scenes[row], random)
        view = 0
        if self.region == "hands":
            view = int(random.choice(scene.hands))  # half of the crops of two hands are empty
            if random.random() < 0.6:
                hold = replace(hold, hand=view)
        kind = int(random.integers(len(KINDS)))
        thing = self.things[kind][random.integers(len(self.things[kind]))]
        held = thing.grip(scene.skin[hold.hand] * random.uniform(0.8, 1.2))
        begin = int(random.integers(len(scene.images) - STEP))
        change, blur = self._change(random), random.uniform(0.5, 2)
        crops, kinds = [], []
        for i in (begin, begin + STEP):
            image = self.images[row][view][i]
            crop = cv2.warpAffine(image, change, (self.size, self.size), flags=cv2.INTER_LINEAR)
            share = paste(crop, held, self._place(scene, row, view, i, hold, change, image))
            if blur < 1:
                few = cv2.resize(crop, None, fx=blur, fy=blur, interpolation=cv2.INTER_AREA)
                crop = cv2.resize(few, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
            crops.append(crop)
            if self.region == "hands":
                kinds.append(kind if share > 0.5 else EMPTY if share < 0.1 else UNSURE)
            else:
                kinds.append(kind)
        return np.stack(crops), kinds

    def _place(self, scene: Scene, row: int, view: int, i: int, hold: Hold, change: np.ndarray,
               image: np.ndarray) -> np.ndarray:
        """``[2, 3]`` from the object's canvas to the crop."""
        left, top, right, _ = self.squares[row][view, :, i]
        grow = image.shape[1] / (right - left)
        place = grow * (hold.place(scene, i) - np.array([[0, 0, left], [0, 0, top]]))
        moved = change[:, :2] @ place
        moved[:, 2] += change[:, 2]
        return moved

    def _change(self, random: np.random.Generator) -> np.ndarray:
        """``[2, 3]`` from what is kept to the crop: turned, resized, moved, mirrored."""
        turn = 0.5 if self.region == "hands" else 0.15
        angle, size = random.uniform(-turn, turn), random.uniform(0.8, 1.25)
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned *= size * _WIDER[self.region] / _RESOLUTION
        turned[:, 0] *= random.choice((-1, 1))
        kept = round(_RESOLUTION * self.size)
        move = random.uniform(-0.1, 0.1, 2) * self.size
        middle = np.full(2, (self.size - 1) / 2)
        return np.column_stack([turned, middle + move - turned @ np.full(2, (kept - 1) / 2)])


@cache
def draw_things(count: int) -> list[list[HeldObject]]:
    """So many objects of every kind for training."""
    return [[HeldObject(kind, FIRST["train"] + number) for number in range(count)]
            for kind in KINDS]
