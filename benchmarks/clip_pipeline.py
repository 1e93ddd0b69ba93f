"""Training clips a second on one core, against the per-clip dictionary pipeline.

Made-up NTU-25 clips of one or two people (30 to 200 frames, random walks of a body) go through
the loader in batches of 64, and the same clips through `tests/dict_pipeline.py`, in turns, in
this process, on one thread. Figures are clips a second of CPU time (other load on the machine
does not count, though it slows the memory), the best of the rounds; "wall" is by the clock.

    python benchmarks/clip_pipeline.py --clips 4000
"""

import argparse
import os
import platform
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.loader import Loader
from skelact.datasets.sampling import UniformSegments
from skelact.graph.layouts import get_layout
from skelact.transforms.compose import Compose
from skelact.transforms.random_steps import Distort3D, Flip, Jitter
from skelact.transforms.steps import CanonicalView, Stream
from tests.dict_pipeline import run_pipeline

AUGMENTED = Compose(CanonicalView(), Flip(), Distort3D(rotate=17, scale=0.1, shear=0.1))
PIPELINES = {
    "sampled only": None,
    "augmented (canonical view, flip, rotation, scale, shear)": AUGMENTED,
    "augmented, bones": Compose(AUGMENTED, Stream("bone")),
    "augmented, bone motion": Compose(AUGMENTED, Stream("bone_motion")),
    "augmented, noise on every joint": Compose(AUGMENTED, Jitter(0.01)),
    "canonical view (the five steps)": CanonicalView(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=4000)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    arrays = make_clips(options.clips)
    dicts = [as_dict(arrays, row) for row in range(min(options.clips, 1000))]
    print(f"{options.clips} clips, {arrays.joints.nbytes / 1e6:.0f} MB, {options.frames} frames, "
          f"2 persons, torch {torch.__version__}, {platform.processor() or platform.machine()}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rates = {}
    for name, transform in PIPELINES.items():
        loader = Loader(arrays, sampling=UniformSegments(options.frames), transform=transform)
        rates[name] = report(name, lambda: sum(len(b.clips) for b in loader), options.rounds)  # noqa: B023
    slow = report("dictionaries, the five steps",
                  lambda: len([run_pipeline(clip, options.frames) for clip in dicts]),
                  options.rounds)
    print(f"{rates['canonical view (the five steps)'] / slow:.1f} times the dictionaries, which "
          "are not even put into batches")


def report(name: str, work: Callable[[], int], rounds: int) -> float:
    """Clips a CPU second, the best of the rounds, printed."""
    best, wall = 0.0, 0.0
    for _ in range(rounds):
        cpu, clock = time.process_time(), time.perf_counter()
        clips = work()
        best = max(best, clips / (time.process_time() - cpu))
        wall = max(wall, clips / (time.perf_counter() - clock))
    print(f"{best:8.0f} clips/s a core ({wall:.0f} wall)  {name}")
    return best


def make_clips(count: int, seed: int = 0) -> ClipArrays:
    """Clips of one or two people (a quarter) who walk at random, 30 to 200 frames."""
    random = np.random.default_rng(seed)
    layout = get_layout("ntu25")
    num_frames = random.integers(30, 201, count)
    people = 1 + (random.random(count) < 0.25)
    lengths = np.repeat(num_frames, people)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    body = random.normal(size=(layout.num_joints, 3)) * [0.3, 0.6, 0.1] + [0, 0, 3]
    steps = random.normal(scale=0.01, size=(offsets[-1], 1, 3)).cumsum(axis=0)
    noise = random.normal(scale=0.01, size=(offsets[-1], layout.num_joints, 3))
    return ClipArrays(
        layout=layout, dims=3, joints=(body + steps % 1.0 + noise).astype(np.float32),
        track_offsets=offsets, frame_index=np.concatenate([np.arange(n) for n in lengths]),
        clip_offsets=np.concatenate([[0], np.cumsum(people)]), num_frames=num_frames,
        labels=random.integers(0, 60, count), fps=np.full(count, 30.0),
    )


def as_dict(arrays: ClipArrays, row: int) -> dict:
    """The clip as the dictionary pipeline takes it, ``keypoint`` [M, T, V, C]."""
    tracks = range(arrays.clip_offsets[row], arrays.clip_offsets[row + 1])
    joints = [arrays.joints[arrays.track_offsets[t] : arrays.track_offsets[t + 1]] for t in tracks]
    return {"keypoint": np.stack(joints), "total_frames": int(arrays.num_frames[row]),
            "label": int(arrays.labels[row])}


if __name__ == "__main__":
    main()
