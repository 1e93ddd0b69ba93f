"""Short clips of real people with drawn objects in their hands; see rgb_objects.py.

Scenes are cut out of real videos: 1.2 seconds of one tracked person. A scene is "still" if neither
wrist that is seen moves by more than 0.9 forearm lengths a second against the shoulders, "moving"
if one moves by 1.5 or more; what lies between is left out. Every scene of validation and test is
shown with every kind of object, so the joints say nothing of the object. Whole videos go to
training, validation or test, and no drawn object (its number) to two of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from drawn_objects import KINDS, HeldObject, paste, place_held
from tqdm import tqdm

from skelact.pixel_config import PixelCut
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import Frame, VideoReader
from skelact.rgb.crop_boxes import TO_HAND
from skelact.rgb.frames import cut_pixels
from skelact.rgb.kept_frames import KeptFrames
from skelact.rgb.objects import HANDS, find_hands

SPLITS = {
    "train": ("labelled/both_hands_clap.mp4", "labelled/bow_nod.mp4", "labelled/left_hand_wave.mp4",
              "labelled/right_hand_push.mp4", "labelled/right_hand_wave.mp4", "pose_1.mp4",
              "street_50fps.avi", "skateboarding.mp4", "three_people_exercise.avi"),
    "validation": ("labelled/squats.mp4", "awkward/vfr_no_frame_count.mkv"),
    "test": ("people_come_and_go.mp4", "ta_chi.mp4", "two_people_1080p_vfr.mp4"),
}
MOTIONS = ("still", "moving")
SECONDS, FRAMES = 1.2, 12
STEP = {"train": 0.1, "validation": 0.2, "test": 0.4}
"""Seconds from one scene to the next."""
MOST = {"train": 40, "validation": 24, "test": 24}
"""Scenes of one motion out of one video."""
STILL, MOVING = 0.9, 1.5
SHORTEST, LONGEST = 18, 40
"""Pixels of a forearm: hands on shorter ones hold nothing, pictures of people with a longer one are
reduced."""
SURE = 0.5
"""Confidence from which an elbow and a wrist may hold something."""
CUTS = {"hands": PixelCut("hands", frames=6, size=96, margin=0.3),
        "person": PixelCut("person", frames=6, size=96, margin=0.0),
        "frame": PixelCut("frame", frames=6, size=96)}
FIRST = {"train": 0, "validation": 100_000, "test": 200_000}
"""The number of the first object of each split."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A part of a track with nothing in its hands yet."""

    video: str
    recording: Recording
    """One person, in pixels of the images; times from 0."""
    images: list[np.ndarray]
    """T of ``[H, W, 3]``."""
    hands: tuple[int, ...]
    """Those that may hold something."""
    arms: np.ndarray
    """``[2, 2, 2, T]`` left and right; elbow and wrist; x, y; averaged over three frames."""
    skin: np.ndarray
    """``[2, 3]`` the colour of each hand."""
    forearm: float
    """Pixels, over the whole track: seen from the front it is shorter."""
    moving: bool


@dataclass(frozen=True)
class Hold:
    """How an object is held."""

    hand: int
    radius: float
    """Of its canvas, in forearms."""
    reach: float
    """From the wrist to its middle, in forearms."""
    tilt: float
    """Radians against the forearm."""

    @classmethod
    def draw(cls, scene: Scene, random: np.random.Generator) -> "Hold":
        """One at random."""
        return cls(int(random.choice(scene.hands)), random.uniform(0.6, 0.8),
                   random.uniform(0.3, 0.5), random.uniform(-0.4, 0.4))

    def place(self, scene: Scene, i: int) -> np.ndarray:
        """``[2, 3]`` from the canvas of the object to frame ``i``."""
        elbow, wrist = scene.arms[self.hand]
        along = wrist - elbow
        turned = np.arctan2(along[1, i], along[0, i]) + self.tilt
        turned += np.pi * (along[0].mean() < 0)  # an arm to the left holds things upright as well
        return place_held(wrist[:, i] + self.reach * along[:, i], self.radius * scene.forearm,
                          turned)


def find_scenes(videos: Path, poses: dict[str, Recording]) -> dict[str, list[Scene]]:
    """The scenes of every split."""
    found = {}
    for split, names in SPLITS.items():
        random = np.random.default_rng(list(SPLITS).index(split))
        found[split] = []
        for name in tqdm(names, f"scenes: {split}", leave=False, disable=None):
            parts = _choose([*_find_parts(poses[name], STEP[split])], MOST[split], random)
            wanted = {int(part[0].frame_index[i]) for part in parts for i in part[1]}
            frames = _read(videos / name, wanted)
            found[split] += [_make_scene(name, poses[name], frames, *part) for part in parts]
    return found


def compose(scene: Scene, kind: str, number: int, random: np.random.Generator
            ) -> tuple[dict[str, np.ndarray], dict]:
    """Pixels ``[V, 3, T, H, W]`` of each region of `CUTS` with an object; what they show."""
    thing, hold = HeldObject(kind, number), Hold.draw(scene, random)
    held = thing.grip(scene.skin[hold.hand])
    kept, boxes = KeptFrames(), []
    for i, (image, time) in enumerate(zip(scene.images, scene.recording.timestamps, strict=True)):
        shown, place = image.copy(), hold.place(scene, i)
        paste(shown, held, place)
        boxes.append(thing.box_in(place))
        kept(Frame(shown, i, float(time)))
    pixels = {name: cut_pixels(kept, scene.recording, 1, cut)[0] for name, cut in CUTS.items()}
    return pixels, {"video": scene.video, "object": kind, "number": number, "hand": hold.hand,
                    "motion": MOTIONS[scene.moving], "boxes": np.round(boxes, 1).tolist()}


def compose_all(scenes: list[Scene], split: str
                ) -> tuple[dict[str, np.ndarray], list[dict], list[int]]:
    """Every scene with every kind: pixels, entries, and which scene each shows."""
    random = np.random.default_rng([7, list(SPLITS).index(split)])
    made, index, shown = [], [], []
    for row, scene in enumerate(tqdm(scenes, f"composing: {split}", leave=False, disable=None)):
        for kind in KINDS:
            pixels, entry = compose(scene, kind, FIRST[split] + len(index), random)
            made.append(pixels)
            index.append(entry | {"split": split})
            shown.append(row)
    return {name: np.stack([one[name] for one in made]) for name in CUTS}, index, shown


def _find_parts(recording: Recording, step: float) -> Iterator[tuple]:
    """Track, rows of the track, hands that may hold something, moving or not, forearm."""
    shoulders = [recording.layout.index(f"{side}_shoulder") for side in HANDS]
    for track in recording:
        hands, forearms = find_hands(track, recording.layout, SURE)
        times = recording.track_times(track)
        middle = track.joints[shoulders, :2].mean(axis=0)
        for start in np.arange(times[0], times[-1] - SECONDS + 1e-6, step):
            rows = np.flatnonzero((times >= start) & (times < start + SECONDS))
            rows = rows[:: max(1, len(rows) // FRAMES)][:FRAMES]
            seen = [hand for hand in range(2)
                    if len(rows) >= 6 and np.isfinite(hands[hand][:, rows]).all()]
            usable = tuple(hand for hand in seen
                           if _forearm(recording, track, hand, rows) >= SHORTEST)
            if not usable:
                continue
            speed = max(_speed(times[rows], (hands[hand] - middle)[:, rows] / forearms[hand])
                        for hand in seen)
            if not STILL <= speed < MOVING:
                yield track, rows, usable, speed >= MOVING, float(np.max(forearms))


def _make_scene(name: str, recording: Recording, frames: dict[int, Frame], track: PoseTrack,
                rows: np.ndarray, usable: tuple[int, ...], moving: bool, forearm: float) -> Scene:
    """The frames so small that the forearm has `LONGEST` pixels at most."""
    images = [frames[int(i)].image for i in track.frame_index[rows]]
    scale = min(1.0, LONGEST / forearm)
    if scale < 1:
        size = [round(scale * side) for side in images[0].shape[1::-1]]
        images = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
    joints = track.joints[:, :, rows].copy()
    joints[:, :2] *= scale
    times = recording.timestamps[track.frame_index[rows]]
    times = times - times[0]
    one = PoseTrack(1, joints, np.arange(len(times)), track.boxes[:, rows] * scale)
    arms = np.stack([[_smooth(joints[recording.layout.index(f"{side}_{joint}"), :2])
                      for joint in ("elbow", "wrist")] for side in HANDS])
    skin = np.stack([_skin(images, wrist + TO_HAND * (wrist - elbow)) for elbow, wrist in arms])
    scaled = Recording((one,), times, recording.layout, fps=1 / np.median(np.diff(times)),
                       image_size=images[0].shape[1::-1], source=name)
    return Scene(name, scaled, images, usable, arms, skin, forearm * scale, bool(moving))


def _choose(parts: list[tuple], most: int, random: np.random.Generator) -> list[tuple]:
    """At most so many of each motion, at random."""
    kept = []
    for moving in (False, True):
        some = [part for part in parts if part[3] == moving]
        kept += [some[row] for row in np.sort(random.permutation(len(some))[:most])]
    return kept


def _forearm(recording: Recording, track: PoseTrack, hand: int, rows: np.ndarray) -> float:
    elbow, wrist = (track.joints[recording.layout.index(f"{HANDS[hand]}_{name}"), :2][:, rows]
                    for name in ("elbow", "wrist"))
    return float(np.percentile(np.hypot(*(wrist - elbow)), 80)) if len(rows) else 0.0


def _speed(times: np.ndarray, path: np.ndarray) -> float:
    """Root mean square speed of ``[2, T]`` over steps of two frames, which noise blurs less."""
    steps = (path[:, 2:] - path[:, :-2]) / (times[2:] - times[:-2])
    return float(np.sqrt(np.square(steps).sum(axis=0).mean()))


def _smooth(path: np.ndarray) -> np.ndarray:
    """``[2, T]`` averaged over three frames, so that a held object does not tremble."""
    padded = np.pad(path, ((0, 0), (1, 1)), mode="edge")
    return (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3


def _skin(images: list[np.ndarray], hand: np.ndarray) -> np.ndarray:
    """``[3]`` the colour in the middle of the hand."""
    found = []
    for image, (x, y) in zip(images, np.nan_to_num(hand).T, strict=True):
        x, y = int(np.clip(x, 2, image.shape[1] - 3)), int(np.clip(y, 2, image.shape[0] - 3))
        found.append(image[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3))
    return np.median(np.concatenate(found), axis=0)


def _read(video: Path, wanted: set[int]) -> dict[int, Frame]:
    found = {}
    for frame in VideoReader(video):
        if frame.index in wanted:
            found[frame.index] = frame
        if len(found) == len(wanted):
            break
    return found
