"""Short videos of real people with drawn objects in their hands; see rgb_objects.py.

Pieces of tracked people are cut out of real videos: 1.2 seconds of one person and one hand. A piece
is "still" if the wrist moves by less than 0.9 forearm lengths a second against the shoulders, and
"moving" from 1.5 on; what lies between is left out. Every piece is composed with every kind of
object, so the joints say nothing of the object. Whole videos go to training, validation or test,
and no drawn object (its number) to two of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from drawn_objects import KINDS, HeldObject, draw_object
from tqdm import tqdm

from skelact.output import write_json
from skelact.pose.files import load_recording, save_recording
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import Frame, VideoReader, VideoWriter
from skelact.rgb.crop_boxes import TO_HAND
from skelact.rgb.objects import find_hands

SPLITS = {
    "train": ("labelled/both_hands_clap.mp4", "labelled/bow_nod.mp4", "labelled/left_hand_wave.mp4",
              "labelled/right_hand_push.mp4", "labelled/right_hand_wave.mp4", "pose_1.mp4",
              "street_50fps.avi"),
    "validation": ("labelled/squats.mp4", "awkward/vfr_no_frame_count.mkv"),
    "test": ("people_come_and_go.mp4", "ta_chi.mp4", "two_people_1080p_vfr.mp4"),
}
MOTIONS = ("still", "moving")
SECONDS, FRAMES = 1.2, 12
STEP = {"train": 0.2, "validation": 0.4, "test": 0.4}
"""Seconds from one piece to the next."""
DRAWS = {"train": 2, "validation": 1, "test": 1}
"""Objects of each kind that a piece is composed with."""
MOST = 24
"""Pieces of one motion out of one video."""
STILL, MOVING = 0.9, 1.5
SHORTEST, LONGEST = 18, 40
"""Pixels of a forearm: pieces that show a shorter one are left out, pictures of people with a
longer one are reduced."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a track, and the hand that gets something to hold."""

    video: str
    track: PoseTrack
    frames: np.ndarray
    """``[T]`` rows of the track."""
    hand: int
    moving: bool
    forearm: float
    """Pixels, over the whole track: seen from the front it is shorter."""


def compose_all(videos: Path, poses: dict[str, Recording], work: Path) -> list[dict]:
    """Write every clip and its poses below ``work``; what they show, one entry a clip."""
    index = []
    numbers = iter(range(1_000_000))  # every object is another one
    for split, names in SPLITS.items():
        random = np.random.default_rng(list(SPLITS).index(split))
        for name in names:
            recording = poses[name]
            pieces = _choose(find_pieces(name, recording, STEP[split]), random)
            frames = _read(videos / name, {int(piece.track.frame_index[i])
                                           for piece in pieces for i in piece.frames})
            for piece in tqdm(pieces, name, leave=False, disable=None):
                images = _shrink(piece, frames)
                for kind in KINDS * DRAWS[split]:
                    entry = {"clip": f"{len(index):05}", "split": split, "video": name,
                             "object": kind, "motion": MOTIONS[piece.moving]}
                    entry |= compose(piece, recording, images, kind, next(numbers), random,
                                     work / entry["clip"])
                    index.append(entry)
    write_json(work / "index.json", index, overwrite=True)
    return index


def find_pieces(name: str, recording: Recording, step: float) -> list[Piece]:
    """The pieces of a recording that can be used."""
    found = []
    shoulders = [recording.layout.index(f"{side}_shoulder") for side in ("left", "right")]
    for track in recording:
        hands, forearms = find_hands(track, recording.layout, 0.5)
        times = recording.track_times(track)
        middle = track.joints[shoulders, :2].mean(axis=0)
        for start in np.arange(times[0], times[-1] - SECONDS + 1e-6, step):
            rows = np.flatnonzero((times >= start) & (times < start + SECONDS))
            rows = rows[:: max(1, len(rows) // FRAMES)][:FRAMES]
            for hand in range(2):
                forearm = forearms[hand]
                seen = len(rows) >= 6 and np.isfinite(hands[hand][:, rows]).all()
                if not seen or _forearm(recording, track, hand, rows) < SHORTEST:
                    continue
                speed = _speed(times[rows], (hands[hand] - middle)[:, rows] / forearm)
                if not STILL <= speed < MOVING:
                    found.append(Piece(name, track, rows, hand, bool(speed >= MOVING),
                                       float(forearm)))
    return found


def compose(
    piece: Piece, recording: Recording, shrunk: list[np.ndarray], kind: str, number: int,
    random: np.random.Generator, path: Path,
) -> dict:
    """Write one clip (``.mp4``) and its poses (``.npz``); the object's boxes, and who holds it."""
    images = [image.copy() for image in shrunk]
    scale = images[0].shape[1] / recording.image_size[0]
    joints = piece.track.joints[:, :, piece.frames].copy()
    joints[:, :2] *= scale
    side = ("left", "right")[piece.hand]
    elbow, wrist = (_smooth(joints[recording.layout.index(f"{side}_{name}"), :2])
                    for name in ("elbow", "wrist"))
    radius = piece.forearm * scale * random.uniform(0.6, 0.8)
    skin = _skin(images, wrist + TO_HAND * (wrist - elbow))
    held = HeldObject(draw_object(kind, number), radius, skin)
    tilt, reach = random.uniform(-0.4, 0.4), random.uniform(0.3, 0.5)
    along = wrist - elbow
    turned = np.unwrap(np.arctan2(along[1], along[0])) + tilt
    turned += np.pi * (along[0].mean() < 0)  # an arm to the left holds things upright as well
    boxes = [held.paste(image, wrist[:, i] + reach * along[:, i], turned[i])
             for i, image in enumerate(images)]
    times = recording.timestamps[piece.track.frame_index[piece.frames]]
    times = times - times[0]
    size = images[0].shape[1::-1]
    fps = 1 / np.median(np.diff(times))
    with VideoWriter(path.with_suffix(".mp4"), fps, size) as writer:
        for image, time in zip(images, times, strict=True):
            writer.write(image, time)
    boxes_of_track = piece.track.boxes[:, piece.frames] * scale
    track = PoseTrack(1, joints, np.arange(len(times)), boxes_of_track)
    save_recording(Recording((track,), times, recording.layout, fps=fps, image_size=size,
                             source=f"{piece.video}, {kind} {number}"), path.with_suffix(".npz"),
                   overwrite=True)
    return {"number": number, "hand": piece.hand, "boxes": np.round(boxes, 1).tolist()}


def _choose(pieces: list[Piece], random: np.random.Generator) -> list[Piece]:
    """At most `MOST` of each motion, at random."""
    kept = []
    for moving in (False, True):
        some = [piece for piece in pieces if piece.moving == moving]
        rows = random.permutation(len(some))[:MOST]
        kept += [some[row] for row in np.sort(rows)]
    return kept


def _forearm(recording: Recording, track: PoseTrack, hand: int, rows: np.ndarray) -> float:
    side = ("left", "right")[hand]
    elbow, wrist = (track.joints[recording.layout.index(f"{side}_{name}"), :2][:, rows]
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
    for image, (x, y) in zip(images, hand.T, strict=True):
        x, y = int(np.clip(x, 2, image.shape[1] - 3)), int(np.clip(y, 2, image.shape[0] - 3))
        found.append(image[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3))
    return np.median(np.concatenate(found), axis=0)


def _shrink(piece: Piece, frames: dict[int, Frame]) -> list[np.ndarray]:
    """The frames of a piece, so small that the forearm has `LONGEST` pixels at most."""
    images = [frames[int(i)].image for i in piece.track.frame_index[piece.frames]]
    scale = min(1.0, LONGEST / piece.forearm)
    size = [2 * round(scale * side / 2) for side in images[0].shape[1::-1]]  # even, for H.264
    return [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]


def _read(video: Path, wanted: set[int]) -> dict[int, Frame]:
    return {frame.index: frame for frame in _until(VideoReader(video), max(wanted, default=-1))
            if frame.index in wanted}


def _until(reader: VideoReader, last: int) -> Iterator[Frame]:
    for frame in reader:
        yield frame
        if frame.index >= last:
            reader.close()
            return


def load_clips(work: Path, index: list[dict]) -> list[Recording]:
    """The poses of composed clips."""
    return [load_recording(work / f"{entry['clip']}.npz") for entry in index]
