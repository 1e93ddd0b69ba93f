"""Damage keypoint files of every format at random; round trips of COCO files.

Values in the JSON are replaced, deleted, doubled or moved, bytes are flipped or cut out. A reader
must give recordings or refuse with a FileFormatError that names the file; anything else is a bug,
printed with the seed that shows it. Round trips write random recordings with `write_coco` and
read them back.

    python benchmarks/keypoint_files.py --cases 10000 --round-trips 1000
"""

import argparse
import copy
import json
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import tests.keypoint_files as made  # the same made-up videos as in the tests
from skelact.datasets.readers.alphapose import read_alphapose
from skelact.datasets.readers.coco import read_coco
from skelact.datasets.readers.kinetics_skeleton import read_kinetics_skeleton
from skelact.datasets.readers.mediapipe import read_mediapipe
from skelact.datasets.readers.mmpose import read_mmpose
from skelact.datasets.readers.openpose import read_openpose
from skelact.datasets.readers.ultralytics import read_ultralytics
from skelact.datasets.writers.coco import write_coco
from skelact.errors import FileFormatError
from skelact.pose.recording import PoseTrack, Recording

FORMATS = {
    "kinetics-skeleton": ("a.json", made.write_kinetics, read_kinetics_skeleton),
    "openpose": ("a", made.write_openpose, read_openpose),
    "coco": ("a.json", made.write_coco_annotations, read_coco),
    "coco results": ("a.json", made.write_coco_results, read_coco),
    "alphapose": ("a.json", made.write_alphapose, read_alphapose),
    "mmpose": ("a.json", made.write_mmpose, read_mmpose),
    "mediapipe json": ("a.json", made.write_mediapipe, read_mediapipe),
    "mediapipe csv": ("a.csv", made.write_mediapipe_csv, read_mediapipe),
    "ultralytics": ("a", made.write_ultralytics,
                    lambda path, refuse: read_ultralytics(path, refuse, image_size=made.SIZE)),
}
JUNK = [None, True, "", "1.5", "x", float("nan"), float("inf"), -1, 0, 3, 2.5, 10**400, 1e39,
        -1e300, [], {}, [[]], [[[]]], {"x": 1}, [1, 2, 3], [None] * 17, {"a": {"b": [None]}}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="damaged files of each format")
    parser.add_argument("--round-trips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    bugs = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (place, write, read) in FORMATS.items():
            start, outcomes = time.perf_counter(), Counter()
            root = Path(folder) / name
            write(root / place)
            for case in range(options.seed, options.seed + options.cases):
                outcomes[attempt(root, read, case)] += 1
            took = time.perf_counter() - start
            print(f"{name}: {options.cases} damaged files in {took:.0f} s")
            for outcome, count in outcomes.most_common():
                print(f"{count:8d}  {outcome}")
                bugs += outcome.startswith("BUG")
        start = time.perf_counter()
        for case in range(options.seed, options.seed + options.round_trips):
            bugs += round_trip(Path(folder) / "trip.json", case)
        print(f"{options.round_trips} round trips in {time.perf_counter() - start:.0f} s")
    print(f"{bugs} bugs")
    raise SystemExit(bugs > 0)


def attempt(root: Path, read, case: int) -> str:
    random = np.random.default_rng(case)
    files = sorted(file for file in root.rglob("*") if file.is_file())
    file = files[random.integers(len(files))]
    content = file.read_bytes()
    if file.suffix == ".json" and case % 4:
        file.write_text(json.dumps(damage_values(json.loads(content), random)))
    else:
        file.write_bytes(damage_bytes(content, random))
    refused = []
    try:
        for recording in read(root, refused.append):
            recording.joints()
    except FileFormatError as error:
        refused.append(error)
    except Exception as error:
        return f"BUG: {type(error).__name__}: {error} (seed {case})"
    finally:
        file.write_bytes(content)
    if any(str(root) not in str(error) for error in refused):
        return f"BUG: {refused} names no place (seed {case})"
    return "refused" if refused else "read"


def damage_values(content, random: np.random.Generator):
    for _ in range(random.integers(1, 4)):
        where, place = content, None
        for _ in range(random.integers(1, 9)):
            if not isinstance(where, dict | list) or not where:
                break
            keys = sorted(where) if isinstance(where, dict) else range(len(where))
            place = (where, keys[random.integers(len(keys))])
            where = where[place[1]]
        if place is None:
            continue
        container, key = place
        match random.integers(4):
            case 0 | 1:
                container[key] = copy.deepcopy(JUNK[random.integers(len(JUNK))])
            case 2:
                del container[key]
            case 3 if isinstance(container, list):
                container.insert(random.integers(len(container) + 1), copy.deepcopy(where))
    return content


def damage_bytes(content: bytes, random: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(random.integers(1, 5)):
        place, length = random.integers(len(data)), random.integers(1, 40)
        match random.integers(3):
            case 0:
                data[place] = random.integers(256)
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length]
    return bytes(data[: random.integers(len(data) + 1)] if random.random() < 0.2 else data)


def round_trip(file: Path, case: int) -> int:
    """1 if the recordings come back changed."""
    random = np.random.default_rng(case)
    clips = [random_recording(random, f"clip {i}") for i in range(random.integers(1, 4))]
    write_coco(clips, file, overwrite=True)
    back = {clip.labels["clip_id"]: clip for clip in read_coco(file)}
    for clip in clips:
        own = back.get(clip.labels["clip_id"])
        same = own is not None and own.labels == clip.labels and (
            own.fps, own.image_size, own.layout, len(own.tracks)) == (
            clip.fps, clip.image_size, clip.layout, len(clip.tracks))
        same = same and np.array_equal(own.timestamps, clip.timestamps) and np.allclose(
            own.joints(), clip.joints(), rtol=1e-6, atol=6e-5, equal_nan=True)
        if not same:
            print(f"BUG: {clip.labels['clip_id']} comes back changed (seed {case})")
            return 1
    return 0


def random_recording(random: np.random.Generator, name: str) -> Recording:
    frames = int(random.integers(1, 20))
    tracks = []
    for track_id in range(random.integers(4)):
        index = np.flatnonzero(random.random(frames) < 0.7)
        joints = random.uniform(-100, 4000, (17, 3, len(index))).astype(np.float32)
        joints[:, 2] = random.random((17, len(index)))
        lost = random.random((17, len(index))) < 0.2
        lost[0] = False
        joints.transpose(0, 2, 1)[lost] = (np.nan, np.nan, 0)
        if len(index):
            tracks.append(PoseTrack(track_id, joints, index))
    return Recording(tuple(tracks), np.cumsum(random.uniform(0.01, 0.1, frames)), "coco17",
                     fps=float(random.uniform(5, 60)), image_size=(640, 480),
                     labels={"clip_id": name, "label": "jog", "subject": int(random.integers(40))})


if __name__ == "__main__":
    main()
