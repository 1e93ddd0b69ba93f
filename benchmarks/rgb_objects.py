"""What is in the hands: a constructed test in which joints alone cannot tell the classes apart.

Drawn objects (`drawn_objects.py`) are put into the hands of real tracked people
(`composed_clips.py`): eight classes, two motions times four objects, the same motions with every
object. Test videos, people and objects are others than those of training. Small networks, trained
from nothing, are chosen by validation (the epoch, the weights of a fusion) and tested once; the
objects and the pasting are artificial, so the figures say what the parts of skelact can do together
and nothing of real handled objects.

    python benchmarks/rgb_objects.py VIDEOS --weights yolo11n-pose.pt --work FOLDER --seeds 0 1 2

Everything is kept in FOLDER; a second run goes on from there.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from composed_clips import MOTIONS, SPLITS, compose_all, load_clips
from drawn_objects import KINDS
from small_networks import TrainedNetworks, form_joints
from tqdm import tqdm

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.handcrafted import fit_linear, hof_features, hog_features, motion_features
from skelact.evaluation.metrics import mean_class_accuracy, top_k_accuracy
from skelact.evaluation.modality_fusion import fit_logistic, fuse_present, tune_weights
from skelact.pixel_config import PixelCut
from skelact.pose.estimators.yolo import YoloEstimator
from skelact.pose.extract import extract
from skelact.pose.files import load_recording, save_recording
from skelact.pose.video import Frame, VideoReader
from skelact.rgb.detections import ObjectDetections
from skelact.rgb.frames import cut_pixels
from skelact.rgb.objects import object_context, pool_context

CUTS = {"hands": PixelCut("hands", frames=4, size=48),
        "person": PixelCut("person", "consecutive", frames=8, size=96, step=1, margin=0.0),
        "frame": PixelCut("frame", "consecutive", frames=8, size=96, step=1)}
CLASSES = len(MOTIONS) * len(KINDS)
CLIP = ClipConfig(dims=2, frames=32)


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    index_file = options.work / "index.json"
    options.work.mkdir(parents=True, exist_ok=True)
    if not index_file.exists():
        compose_all(options.videos, find_poses(options), options.work)
    index = json.loads(index_file.read_text())
    recordings = load_clips(options.work, index)
    pixels = cut_all(options.work, index, recordings)
    splits = {name: np.flatnonzero([entry["split"] == name for entry in index]) for name in SPLITS}
    labels = np.array([MOTIONS.index(e["motion"]) * len(KINDS) + KINDS.index(e["object"])
                       for e in index])
    describe(index, splits)
    arrays = ClipArrays.from_recordings(recordings)
    held = np.array([entry["hand"] for entry in index])
    networks = TrainedNetworks(form_joints(arrays, CLIP), pixels, labels, held, splits, CLASSES,
                               options.work / "scores", options.epochs)
    rows = {}
    for seed in options.seeds:
        for name, scores in score_seed(networks, seed, labels[splits["validation"]]).items():
            rows.setdefault(name, []).append(figures(scores, labels[splits["test"]]))
    classical = fit_classical(options.work, arrays, recordings, index, pixels, labels, splits)
    rows |= {name: [figures(scores, labels[splits["test"]])] for name, scores in classical.items()}
    print_table(rows, options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, help="folder with the videos of composed_clips.SPLITS")
    parser.add_argument("--weights", type=Path, help="Ultralytics pose weights")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything made")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def find_poses(options: argparse.Namespace) -> dict:
    """The people of every video, found once."""
    poses, estimator = {}, None
    for name in [name for names in SPLITS.values() for name in names]:
        path = options.work / "poses" / f"{Path(name).stem}.npz"
        if not path.exists():
            estimator = estimator or YoloEstimator(options.weights, threads=options.threads)
            save_recording(extract(options.videos / name, estimator, progress=True), path)
        poses[name] = load_recording(path)
    return poses


class KeptFrames:
    """The frames of a short video, decoded once for several cuts."""

    def __init__(self, video: Path):
        reader = VideoReader(video)
        self.size, self.frames = reader.size, list(reader)
        self.times = np.array([frame.time for frame in self.frames])

    def at(self, times: Sequence[float]) -> Iterator[Frame]:
        """The frames nearest to some times."""
        yield from (self.frames[np.abs(self.times - time).argmin()] for time in times)


def cut_all(work: Path, index: list[dict], recordings: list) -> dict[str, np.ndarray]:
    """``[L, V, 3, T, H, W]`` uint8 pixels of all clips for each region, cut once and mapped."""
    paths = {name: work / f"{name}.npy" for name in CUTS}
    if not all(path.exists() for path in paths.values()):
        parts = {name: work / f"{name}.part.npy" for name in CUTS}
        pixels = {name: np.lib.format.open_memmap(parts[name], "w+", np.uint8, (
            len(index), cut.views, 3, cut.length, cut.size, cut.size))
            for name, cut in CUTS.items()}
        for row, entry in enumerate(tqdm(index, "cutting", leave=False, disable=None)):
            frames = KeptFrames(work / f"{entry['clip']}.mp4")
            for name, cut in CUTS.items():
                pixels[name][row], _ = cut_pixels(frames, recordings[row], 1, cut)
        for name, path in paths.items():
            pixels[name].flush()
            parts[name].rename(path)
    return {name: np.load(path, mmap_mode="r") for name, path in paths.items()}


def fit_classical(
    work: Path, arrays: ClipArrays, recordings: list, index: list[dict], pixels: dict,
    labels: np.ndarray, splits: dict,
) -> dict[str, np.ndarray]:
    """Scores of the test clips by linear machines on features made by hand; kept."""
    path = work / "scores" / "linear.npz"
    if not path.exists():
        features = make_features(arrays, recordings, index, pixels)
        train, test = splits["train"], splits["test"]
        found = {}
        for name in (["motion"], ["HOG", "HOF"], ["motion", "HOG", "HOF"],
                     ["motion", "HOG of the hands"], ["motion", "objects"]):
            joined = np.hstack([features[part] for part in name])
            machine = fit_linear(joined[train], labels[train], CLASSES, strengths=(1e-3,))
            found["linear: " + " + ".join(name)] = machine.scores(joined[test])
        np.savez(path, **found)
    with np.load(path) as file:
        return dict(file)


def make_features(
    arrays: ClipArrays, recordings: list, index: list[dict], pixels: dict
) -> dict[str, np.ndarray]:
    """``[L, D]`` of each kind."""
    cutters = {"HOG of the hands": (hog_features, "hands", 6),
               "HOG": (hog_features, "person", 8), "HOF": (hof_features, "person", 4)}
    made = {name: np.stack([describe_clip(clip, cells=cells) for clip in tqdm(
        pixels[region], name, leave=False, disable=None)])
        for name, (describe_clip, region, cells) in cutters.items()}
    context = [object_context(recording, simulate_detector(entry, recording), KINDS)
               for entry, recording in zip(index, recordings, strict=True)]
    return made | {"motion": motion_features(arrays, CLIP),
                   "objects": np.stack([pool_context(one) for one in context])}


def simulate_detector(entry: dict, recording) -> ObjectDetections:
    """What a poor detector would say: a third missed, a fifth misnamed, boxes a tenth off."""
    random = np.random.default_rng(int(entry["clip"]))
    boxes = np.array(entry["boxes"], np.float64).T
    boxes += 0.1 * (boxes[2:] - boxes[:2]).mean() * random.normal(size=boxes.shape)
    whole = (boxes[2:] > boxes[:2]).all(axis=0)
    frames = np.flatnonzero(whole & (random.random(boxes.shape[1]) > 1 / 3))
    wrong = random.random(len(frames)) < 0.2
    names = np.where(wrong, random.choice(KINDS, len(frames)), entry["object"])
    return ObjectDetections(recording.timestamps, frames, names, boxes[:, frames],
                            random.uniform(0.3, 0.9, len(frames)))


def score_seed(
    networks: TrainedNetworks, seed: int, validation_labels: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of the test clips by every network of one seed, and by their fusions."""
    found = {name: networks.score(name, seed) for name in (
        "skeleton", "hands", "concat", "attention", "person", "frame")}
    skeleton, hands = found["skeleton"], found["hands"]
    both = [skeleton[0], hands[0]], [skeleton[1], hands[1]]  # validation, test
    weights = tune_weights(both[0], validation_labels)
    return {
        "joints": skeleton[1],
        "pixels: hands": hands[1],
        "pixels: person": found["person"][1],
        "pixels: whole frame": found["frame"][1],
        "joints + hands, late, half and half": fuse_present(both[1]),
        "joints + hands, late, tuned": fuse_present(both[1], weights=weights),
        "joints + hands, logistic": fit_logistic(both[0], validation_labels).fuse(both[1]),
        "joints + hands, features (concat)": found["concat"][1],
        "joints + hands, features (attention)": found["attention"][1],
    }


def figures(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracies in percent."""
    parts = scores.reshape(-1, len(MOTIONS), len(KINDS))
    kinds, kind = parts.sum(axis=1), labels % len(KINDS)
    own = np.take_along_axis(kinds, kind[:, None], axis=1)
    others = np.ones(kinds.shape, bool)
    np.put_along_axis(others, kind[:, None], False, axis=1)
    won = (own > kinds) + 0.5 * (own == kinds)
    return {
        "class": 100 * top_k_accuracy(scores, labels),
        "mean over classes": 100 * mean_class_accuracy(scores, labels),
        "object": 100 * top_k_accuracy(kinds, kind),
        "two objects": 100 * won[others].mean(),
        "motion": 100 * top_k_accuracy(parts.sum(axis=2), labels // len(KINDS)),
    }


def describe(index: list[dict], splits: dict[str, np.ndarray]) -> None:
    for name, rows in splits.items():
        moving = sum(index[row]["motion"] == MOTIONS[1] for row in rows)
        print(f"{name}: {len(rows)} clips ({moving} moving), {len(SPLITS[name])} videos")


def print_table(rows: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    print(f"seeds {options.seeds}, {options.epochs} epochs, torch {torch.__version__}; percent, "
          "mean and sample deviation over seeds")
    names = list(next(iter(rows.values()))[0])
    print("| what is looked at | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for name, found in rows.items():
        cells = []
        for figure in names:
            values = [one[figure] for one in found]
            spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.1f}{spread}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
