"""One made-up video in every keypoint format that people bring."""

import json
from pathlib import Path

import numpy as np

from skelact.graph.layouts import get_layout

SIZE = (640, 480)
FRAMES = 12


def walkers(layout: str = "coco17", people: int = 2, frames: int = FRAMES) -> np.ndarray:
    """``[M, N, 3, T]`` x, y in pixels and confidence of people who walk side by side."""
    random = np.random.default_rng(7)
    joints = get_layout(layout).num_joints
    body = random.uniform((-30, -90), (30, 90), (joints, 2))
    steps = np.arange(frames)
    out = np.empty((people, joints, 3, frames))
    for person in range(people):
        x = 120 + 300 * person + 2 * steps
        out[person, :, 0] = body[:, :1] + x
        out[person, :, 1] = body[:, 1:] + 240 + 3 * np.sin(steps)
        out[person, :, 2] = 0.5 + 0.5 * random.random((joints, frames))
    return out.round(3)


def _frames(people: np.ndarray):
    """(frame, person, ``[N, 3]``) of everyone, the order of people alternating."""
    for frame in range(people.shape[3]):
        order = range(len(people)) if frame % 2 else reversed(range(len(people)))
        for person in order:
            yield frame, person, people[person, :, :, frame]


def _dump(file: Path, content) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


def write_kinetics(file: Path) -> np.ndarray:
    people = walkers("openpose18")
    data = [{"frame_index": t + 1, "skeleton": []} for t in range(people.shape[3])]
    for t, _, points in _frames(people):
        places = points[:, :2] / (340, 256)
        data[t]["skeleton"].append({"pose": places.ravel().tolist(),
                                    "score": points[:, 2].tolist()})
    _dump(file, {"data": data, "label": "air drumming", "label_index": 4})
    return people


def write_openpose(folder: Path, layout: str = "body25", video: str = "clip") -> np.ndarray:
    people = walkers(layout)
    frames = [{"version": 1.3, "people": []} for _ in range(people.shape[3])]
    for t, _, points in _frames(people):
        frames[t]["people"].append({"person_id": [-1],
                                    "pose_keypoints_2d": points.ravel().tolist(),
                                    "face_keypoints_2d": []})
    for t, frame in enumerate(frames):
        _dump(folder / f"{video}_{t:012}_keypoints.json", frame)
    return people


def write_coco_results(file: Path) -> np.ndarray:
    people = walkers()
    _dump(file, [{"image_id": 100 + t, "category_id": 1, "keypoints": points.ravel().tolist(),
                  "score": 0.9} for t, _, points in _frames(people)])
    return people


def coco_annotations(people: np.ndarray, identity: bool = True) -> dict:
    layout = get_layout("coco17")
    rows = []
    for t, person, points in _frames(people):
        seen = np.column_stack([points[:, :2], np.full(len(points), 2)])
        rows.append({"id": len(rows) + 1, "image_id": t + 5, "category_id": 1, "iscrowd": 0,
                     "keypoints": seen.ravel().tolist(), "num_keypoints": 17})
        if identity:
            rows[-1]["track_id"] = person + 3
    return {
        "info": {"description": "made up"},
        "images": [{"id": t + 5, "file_name": f"video/{t + 1:06}.jpg", "width": SIZE[0],
                    "height": SIZE[1]} for t in range(people.shape[3])],
        "annotations": rows,
        "categories": [{"id": 1, "name": "person", "keypoints": list(layout.joints),
                        "skeleton": []}],
    }


def write_coco_annotations(file: Path) -> np.ndarray:
    people = walkers()
    people[:, :, 2] = 1.0
    _dump(file, coco_annotations(people))
    return people


def alphapose_rows(people: np.ndarray, identity: bool = True) -> list[dict]:
    rows = []
    for t, person, points in _frames(people):
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        rows.append({"image_id": f"{t}.jpg", "category_id": 1,
                     "keypoints": points.ravel().tolist(), "score": 2.9,
                     "box": [*low.tolist(), *(high - low).tolist()],
                     "idx": float(person + 1) if identity else 0.0})
    return rows


def write_alphapose(file: Path) -> np.ndarray:
    people = walkers()
    _dump(file, alphapose_rows(people))
    return people


def mmpose_frames(people: np.ndarray) -> list[dict]:
    frames = [{"frame_id": t, "instances": []} for t in range(people.shape[3])]
    for t, _, points in _frames(people):
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        frames[t]["instances"].append({
            "keypoints": points[:, :2].tolist(), "keypoint_scores": points[:, 2].tolist(),
            "bbox": [[*low.tolist(), *high.tolist()]], "bbox_score": 0.9})
    return frames


def write_mmpose(file: Path) -> np.ndarray:
    people = walkers()
    _dump(file, mmpose_frames(people))
    return people


def write_mediapipe(file: Path) -> np.ndarray:
    people = walkers("mediapipe33", people=1)
    frames = [[{"x": x / SIZE[0], "y": y / SIZE[1], "z": -0.1, "visibility": c}
               for x, y, c in people[0, :, :, t].tolist()] for t in range(people.shape[3])]
    _dump(file, {"fps": 30, "width": SIZE[0], "height": SIZE[1],
                 "frames": [{"landmarks": landmarks} for landmarks in frames]})
    return people


def write_mediapipe_csv(file: Path) -> np.ndarray:
    people = walkers("mediapipe33", people=1)
    header = [f"{axis}{i}" for i in range(33) for axis in "xyzv"]
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(["frame", *header])]
    for t in range(people.shape[3]):
        cells = [v for x, y, c in people[0, :, :, t].tolist() for v in (x, y, -0.1, c)]
        lines.append(",".join(map(str, [t, *cells])))
    file.write_text("\n".join(lines) + "\n")
    return people


def write_ultralytics(folder: Path, video: str = "clip", size: tuple[int, int] = SIZE,
                      identity: bool = True) -> np.ndarray:
    """Label files as ``save_txt`` leaves them; the frames count from 1."""
    people = walkers()
    folder.mkdir(parents=True, exist_ok=True)
    for t, person, points in _frames(people):
        low, high = points[:, :2].min(axis=0) / size, points[:, :2].max(axis=0) / size
        shares = np.column_stack([points[:, :2] / size, points[:, 2]])
        values = [0, *((low + high) / 2), *(high - low), *shares.ravel()]
        values += [person + 1] if identity else []
        with open(folder / f"{video}_{t + 1}.txt", "a") as file:
            file.write(" ".join(f"{v:.8g}" for v in values) + "\n")
    return people
