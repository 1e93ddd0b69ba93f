"""What is in the hands: a constructed test in which joints alone cannot tell the classes apart.

Drawn objects (`drawn_objects.py`) are put into the hands of real tracked people
(`composed_clips.py`): eight classes, two motions times four objects, the same motions with every
object. Test videos, people and objects are others than those of training. Pixels are seen by the
first layers of the YOLO network that also finds the poses, frozen, under small heads; joints by a
small ST-GCN (`small_networks.py`). The heads learn from pairs of crops in which a random object is
pasted anew (`pasted_crops.py`); weights of fusions are chosen on validation clips. The objects and
the pasting are artificial, so the figures say what the parts of skelact can do together and nothing
of real handled objects.

    python benchmarks/rgb_objects.py VIDEOS --weights yolo11n-pose.pt --work FOLDER --seeds 0 1 2

Everything is kept in FOLDER; a second run goes on from there.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from composed_clips import CUTS, MOTIONS, SPLITS, Scene, compose_all, find_scenes
from drawn_objects import KINDS
from pasted_crops import PastedCrops, draw_things
from small_networks import (
    Backbone,
    form_joints,
    score_joints,
    score_pixels,
    train_joints,
    train_pixels,
)
from tqdm import tqdm

from skelact.config import ClipConfig
from skelact.datasets.arrays import ClipArrays
from skelact.evaluation.handcrafted import fit_linear, hof_features, hog_features, motion_features
from skelact.evaluation.metrics import mean_class_accuracy, top_k_accuracy
from skelact.evaluation.modality_fusion import fit_logistic, fuse_present, tune_weights
from skelact.pose.estimators.yolo import YoloEstimator
from skelact.pose.extract import extract
from skelact.pose.files import load_recording, save_recording
from skelact.rgb.detections import ObjectDetections
from skelact.rgb.frames import choose_frames, plan_cut
from skelact.rgb.objects import HANDS, object_context, pool_context

CLASSES = len(MOTIONS) * len(KINDS)
CLIP = ClipConfig(dims=2, frames=16)


class Clips:
    """The composed clips of one split.

    Args:
        scenes: What they were made from.
        split: Its name.
        work: Where pixels are kept.
    """

    def __init__(self, scenes: list[Scene], split: str, work: Path):
        path = work / f"{split}.npz"
        if not path.exists():
            pixels, index, shown = compose_all(scenes, split)
            part = path.with_suffix(".part.npz")
            np.savez(part, **pixels, index=json.dumps(index), shown=shown)
            part.rename(path)
        with np.load(path) as file:
            self.pixels = {name: file[name] for name in CUTS}
            self.index, self.shown = json.loads(str(file["index"])), file["shown"]
        self.recordings = [scenes[row].recording for row in self.shown]
        self.labels = np.array([MOTIONS.index(entry["motion"]) * len(KINDS)
                                + KINDS.index(entry["object"]) for entry in self.index])
        self.sure = {name: np.ones((*pixels.shape[:2], pixels.shape[3]))
                     for name, pixels in self.pixels.items()}
        self.sure["hands"] = np.stack([see_hands(scenes[row]) for row in self.shown])
        self.arrays = ClipArrays.from_recordings(self.recordings)


def see_hands(scene: Scene) -> np.ndarray:
    """``[2, T]`` how sure the skeleton is of elbow and wrist in the frames that are looked at."""
    [track] = scene.recording
    frames, squares = plan_cut(scene.recording, 1, CUTS["hands"])
    chosen = choose_frames(CUTS["hands"], len(frames))
    joints = [[scene.recording.layout.index(f"{side}_{joint}") for joint in ("elbow", "wrist")]
              for side in HANDS]
    sure = track.joints[joints, 2].min(axis=1)[:, frames[chosen]]
    return np.where(np.isnan(squares[:, 0, chosen]), 0.0, np.nan_to_num(sure))


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    (options.work / "scores").mkdir(parents=True, exist_ok=True)
    scenes = find_scenes(options.videos, find_poses(options))
    clips = {split: Clips(scenes[split], split, options.work) for split in ("validation", "test")}
    describe(scenes, options)
    rows = {}
    for seed in options.seeds:
        for name, scores in score_seed(scenes["train"], clips, seed, options).items():
            rows.setdefault(name, []).append(figures(scores, clips["test"].labels))
    classical = fit_classical(scenes["train"], clips["test"], options.work)
    rows |= {name: [figures(scores, clips["test"].labels)] for name, scores in classical.items()}
    print_table(rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, help="folder with the videos of composed_clips.SPLITS")
    parser.add_argument("--weights", type=Path, required=True, help="Ultralytics pose "
                        "weights, of the poses and under the heads of pixels")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything made")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pairs", type=int, default=16000, help="crops that a network of "
                        "pixels learns from, in pairs")
    parser.add_argument("--rounds", type=int, default=20, help="epochs of the network of joints")
    parser.add_argument("--things", type=int, default=1200, help="training objects of each kind")
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


def score_seed(train: list[Scene], clips: dict[str, Clips], seed: int,
               options: argparse.Namespace) -> dict[str, np.ndarray]:
    """``[L, 8]`` of the test clips by every network of one seed, and by their fusions."""
    found = {name: score_network(name, train, clips, seed, options)
             for name in ("joints", *CUTS)}
    validation, test = ({name: scores[i].reshape(-1, CLASSES) for name, scores in found.items()}
                        for i in range(2))
    labels = clips["validation"].labels
    rows = {"joints": test["joints"], "person crop": test["person"],
            "whole frame": test["frame"], "hand crops": test["hands"]}
    for name, other in (("hand crops", "hands"), ("person crop", "person")):
        moving, things = found["joints"][1].sum(2), found[other][1].sum(1)
        rows[f"joints (motion) x {name} (object)"] = np.einsum(
            "lm,lk->lmk", moving, things).reshape(-1, CLASSES)
    pair = [[part["joints"], part["hands"]] for part in (validation, test)]
    weights = tune_weights(pair[0], labels)
    rows["joints + hand crops, mean, tuned weights"] = fuse_present(pair[1], weights=weights)
    rows["joints + hand crops, logistic"] = fit_logistic(pair[0], labels).fuse(pair[1])
    return rows


def score_network(name: str, train: list[Scene], clips: dict[str, Clips], seed: int,
                  options: argparse.Namespace) -> list[np.ndarray]:
    """``[L, 2, 4]`` of the validation and the test clips; trained when first asked for."""
    path = options.work / "scores" / f"{name}_{seed}.npz"
    if not path.exists():
        if name == "joints":
            joints = form_joints(ClipArrays.from_recordings([s.recording for s in train]), CLIP)
            videos = np.unique([scene.video for scene in train], return_inverse=True)[1]
            network = train_joints(joints, np.array([int(scene.moving) for scene in train]),
                                   videos, options.rounds, seed)
            scores = {split: score_joints(network, form_joints(one.arrays, CLIP))
                      for split, one in clips.items()}
        else:
            crops = PastedCrops(train, draw_things(options.things), name)
            backbone = Backbone(options.weights)
            heads = train_pixels(backbone, crops, options.pairs, seed)
            scores = {split: score_pixels(backbone, heads, one.pixels[name], one.sure[name])
                      for split, one in clips.items()}
        np.savez(path, **scores)
        own = clips["validation"].labels
        print(name, seed, "validation", figures(scores["validation"].reshape(-1, CLASSES), own),
              flush=True)
    with np.load(path) as file:
        return [file["validation"], file["test"]]


def fit_classical(train: list[Scene], test: Clips, work: Path) -> dict[str, np.ndarray]:
    """Scores of the test clips by linear machines on features made by hand; kept."""
    path = work / "scores" / "linear.npz"
    if not path.exists():
        clips = Clips(train, "train", work)
        features, other = make_features(clips), make_features(test)
        found = {}
        for names in (["joint motion"], ["HOG", "HOF"], ["joint motion", "HOG", "HOF"],
                      ["joint motion", "HOG of the hands"], ["joint motion", "detector"]):
            machine = fit_linear(np.hstack([features[name] for name in names]), clips.labels,
                                 CLASSES, strengths=(1e-3,))
            found["linear: " + " + ".join(names)] = machine.scores(
                np.hstack([other[name] for name in names]))
        np.savez(path, **found)
    with np.load(path) as file:
        return dict(file)


def make_features(clips: Clips) -> dict[str, np.ndarray]:
    """``[L, D]`` of each kind."""
    cutters = {"HOG of the hands": (hog_features, "hands", 6),
               "HOG": (hog_features, "person", 8), "HOF": (hof_features, "person", 4)}
    made = {name: np.stack([describe_clip(clip, cells=cells) for clip in tqdm(
        clips.pixels[region], name, leave=False, disable=None)])
        for name, (describe_clip, region, cells) in cutters.items()}
    context = [object_context(recording, simulate_detector(entry, recording), KINDS)
               for entry, recording in zip(clips.index, clips.recordings, strict=True)]
    return made | {"joint motion": motion_features(clips.arrays, CLIP),
                   "detector": np.stack([pool_context(one) for one in context])}


def simulate_detector(entry: dict, recording) -> ObjectDetections:
    """What a poor detector would say: a third missed, a fifth misnamed, boxes a tenth off."""
    random = np.random.default_rng(entry["number"])
    boxes = np.array(entry["boxes"], np.float64).T
    boxes += 0.1 * (boxes[2:] - boxes[:2]).mean() * random.normal(size=boxes.shape)
    whole = (boxes[2:] > boxes[:2]).all(axis=0)
    frames = np.flatnonzero(whole & (random.random(boxes.shape[1]) > 1 / 3))
    wrong = random.random(len(frames)) < 0.2
    names = np.where(wrong, random.choice(KINDS, len(frames)), entry["object"])
    return ObjectDetections(recording.timestamps, frames, names, boxes[:, frames],
                            random.uniform(0.3, 0.9, len(frames)))


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


def describe(scenes: dict[str, list[Scene]], options: argparse.Namespace) -> None:
    for split, some in scenes.items():
        moving = sum(scene.moving for scene in some)
        videos = Counter(Path(scene.video).stem for scene in some)
        print(f"{split}: {len(some)} scenes ({moving} moving) of "
              + ", ".join(f"{name} {count}" for name, count in videos.items()))
    print(f"seeds {options.seeds}, {options.pairs} pairs of crops, {options.things} training "
          f"objects a kind, {options.rounds} rounds of joints, torch {torch.__version__}")


def print_table(rows: dict[str, list[dict[str, float]]]) -> None:
    """In percent; mean and sample deviation over seeds."""
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
