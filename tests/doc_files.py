"""The files that the pages speak of, tiny: videos of dots, data sets of people who swing limbs."""

import itertools
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from actions import settings, swinging
from archives import write_penn_action
from dots import DotEstimator, dots_video
from plain_st_gcn_pp import PlainSTGCNPP
from stores import write_store

from skelact.datasets.corrections import Correction, Corrections
from skelact.datasets.header import read_header
from skelact.datasets.readers.nw_ucla import CLASSES as NW_UCLA_CLASSES
from skelact.graph.graph import Graph
from skelact.output import write_json
from skelact.pose.estimators.choice import LAYOUTS
from skelact.pose.extract import extract
from skelact.pose.files import save_recording
from skelact.pose.recording import Recording
from skelact.training.loop import train

_CLASSES = {
    "nw_ucla": ("throw", "walk_around", "sit_down", "stand_up"),
    "utd_mhad": ("throw", "walk", "wave", "clap"),
    "msr_action3d": ("high_throw", "hand_clap", "high_arm_wave", "jogging"),
    "penn_action": ("jumping_jacks", "squat"),
    "mydata": ("clap", "jump"),
}
_LAYOUTS = {"nw_ucla": "kinect20", "utd_mhad": "utd20", "msr_action3d": "msr20",
            "penn_action": "penn13", "mydata": "coco17"}


@dataclass(frozen=True)
class DotChoice:
    """Stands for any decided estimator, with its skeleton; sees dots."""

    name: str

    def __str__(self) -> str:
        return f"dots in place of {self.name}"

    @property
    def layout(self) -> str:
        """Name of the skeleton."""
        return LAYOUTS[self.name]

    @property
    def identity(self) -> dict:
        """What two runs are compared by."""
        return {"estimator": self.name}

    def load(self) -> DotEstimator:
        """The estimator."""
        return DotEstimator(layout=self.layout)


def decide_dots(name: str = "auto", *_, **__) -> DotChoice:
    """In place of `decide_estimator`."""
    return DotChoice("yolo" if name == "auto" else name)


def write_page_files(folder: Path) -> Path:
    """Write everything; takes some seconds."""
    _write_videos(folder)
    for name in _CLASSES:
        write_store(folder / f"{name}.store", _clips(name), name)
    _write_corrections(folder)
    _write_raw(folder)
    _write_runs(folder)
    for file, layout, classes in (("j.pth", "ntu25", 60), ("gestures.pth", "hand21", 40)):
        adjacency = torch.tensor(Graph(layout, "inward_outward").adjacency, dtype=torch.float32)
        network = PlainSTGCNPP(adjacency, 24, classes, 3 if layout == "ntu25" else 2)
        torch.save({"state_dict": network.state_dict()}, folder / file)
    (folder / "gestures.pth").rename(folder / "stgcnpp_hand_gestures.pth")
    return folder


def copy_page_files(source: Path, target: Path) -> set[Path]:
    """Copy everything; gives the paths below ``target``, folders too."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    return {path.relative_to(target) for path in target.rglob("*")}


def _write_videos(folder: Path) -> None:
    for name in ("video.mp4", "new_video.mp4"):
        dots_video(folder / name, frames=60, step=0.6)
    for action, (i, who) in itertools.product(("clap", "jump rope"), enumerate(("anna", "ben"))):
        for take in (1, 2):
            dots_video(folder / "mydata" / action / f"{who}_{take}.mp4", 12 + i + 2 * take,
                       starts=(10 + 5 * take,), step=2 + 0.5 * i)
    save_recording(extract(folder / "video.mp4", DotEstimator()), folder / "video.npz")


def _clips(name: str, count: int = 24) -> Iterable[Recording]:
    """Clips of a store: two or four classes, four people, three views, every fourth a test."""
    classes, dims = _CLASSES[name], 3 if name.endswith(("ucla", "mhad", "3d")) else 2
    for i in range(count):
        label, round_ = i % len(classes), i // len(classes)
        yield swinging(("arms", "legs")[i % 2], i, _LAYOUTS[name], dims, frames=16,
                       clip_id=f"{name}{i:02}", label=classes[label], subject=1 + round_ % 4,
                       camera=1 + round_ % 3, splits=["test" if round_ % 4 == 3 else "train"])


def _write_corrections(folder: Path) -> None:
    """What a reviewer says of ``mydata.store``."""
    header = read_header(folder / "mydata.store")
    said = Corrections(header.fingerprint, (Correction("mydata00", drop=True),
                                            Correction("mydata02", trim=(2, 13))))
    write_json(folder / "mydata_corrections.json", said.to_dict())


def _write_raw(folder: Path) -> None:
    write_penn_action(folder / "PennAction", train=12, test=4)
    numbers = {name: number for number, name in NW_UCLA_CLASSES.items()}
    (folder / "NW-UCLA").mkdir()
    for i, clip in enumerate(_clips("nw_ucla")):
        labels = clip.labels
        name = (f"a{numbers[labels['label']]:02}_s{labels['subject']:02}_e{i:02}"
                f"_v{labels['camera']:02}.json")
        frames = clip.tracks[0].joints.transpose(2, 0, 1).tolist()
        (folder / "NW-UCLA" / name).write_text(json.dumps({"skeletons": frames}))


def _write_runs(folder: Path) -> None:
    """One run on UTD-MHAD under the names that the pages give to runs and models."""
    train(settings(folder / "utd_mhad.store", dataset="utd_mhad", protocol="xsub"),
          folder / "runs" / "x")
    for name in ("runs/utd", "joint", "bone"):
        shutil.copytree(folder / "runs" / "x", folder / name)
    shutil.copyfile(folder / "runs" / "x" / "model.pt", folder / "model.pt")
