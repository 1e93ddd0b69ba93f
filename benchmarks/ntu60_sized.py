"""The loader and ``skelact train ntu60`` on a made-up data set of the size of NTU RGB+D 60.

The store is written straight with the store writer: 40,091 training and 16,487 test clips of the
cross-subject protocol, 25 joints, 60 actions, 32 to 300 frames (about 80 on average), two people
in a fifth of the clips, named like NTU's so that its protocols apply.

1. The loader alone, with the sampling and the transform of the preset: clips a second for no
   worker, one and two. "CPU" is clips a second of CPU time, which other load does not count in.
2. ``skelact train ntu60``: so many iterations (a CSV takes as many training clips), stopped by
   Ctrl-C half way, resumed, validated and tested.

    python benchmarks/ntu60_sized.py                                       # with a GPU
    python benchmarks/ntu60_sized.py --base-channels 16 --test-clips 1     # slow on two cores
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from skelact.cli.train import parse
from skelact.datasets.loader import Loader
from skelact.datasets.protocols import PROTOCOLS
from skelact.datasets.readers.ntu_classes import NTU120_CLASSES
from skelact.datasets.store import Store, StoreWriter
from skelact.graph.layouts import get_layout
from skelact.models.checkpoint import load_model
from skelact.output import write_text
from skelact.pose.recording import PoseTrack, Recording
from skelact.training.batches import train_sampling
from skelact.transforms.clip_form import form_clips, settle_form

TRAIN, TEST, CLASSES = 40_091, 16_487, 60
FPS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the clips to write")
    parser.add_argument("--folder", help="where to work (default: a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="keep the store, and use one kept")
    parser.add_argument("--batches", type=int, default=150, help="batches a loader measurement")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of loader measurements")
    parser.add_argument("--iterations", type=int, default=200, help="training steps; 0 for none")
    parser.add_argument("--base-channels", type=int, default=64, help="width of the network")
    parser.add_argument("--test-clips", type=int, default=10, help="views of a test clip")
    parser.add_argument("--tested", type=int, default=TEST, help="test clips to score")
    parser.add_argument("--workers", type=int, default=2, help="workers in training")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}, torch {torch.__version__}, "
          f"{torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'}")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        store = Path(options.folder or scratch) / "ntu60.store" if options.keep else (
            Path(scratch) / "ntu60.store")
        if not store.exists():
            report_writing(store, options.scale)
        measure_loader(store, options.batches, options.rounds)
        if options.iterations:
            train(store, Path(scratch), options)


def report_writing(folder: Path, scale: float) -> None:
    began = time.perf_counter()
    write_store(folder, round(TRAIN * scale), round(TEST * scale))
    seconds, arrays = time.perf_counter() - began, Store(folder).arrays
    size = sum(file.stat().st_size for file in folder.iterdir()) / 2**30
    print(f"{len(arrays):,} clips, {arrays.num_tracks / len(arrays):.2f} people and "
          f"{arrays.num_frames.mean():.0f} frames a clip, {size:.2f} GiB, written in "
          f"{seconds:.0f} s ({len(arrays) / seconds:,.0f} clips/s)")


def write_store(folder: Path, train: int, test: int, seed: int = 0) -> None:
    """Clips named like those of NTU RGB+D 60, divided by its subjects; each action moves its way.

    Args:
        folder: The store to write.
        train: Clips of subjects who train.
        test: Clips of subjects who are tested.
        seed: Of names, lengths and motion.
    """
    random = np.random.default_rng(seed)
    motions = make_motions(random)
    subjects = PROTOCOLS["ntu60"]["xsub"]
    names = sorted(draw_names(random, subjects.train, train)
                   + draw_names(random, subjects.test, test))
    with StoreWriter(folder) as writer:
        for setup, camera, subject, repetition, action in names:
            frames = int(np.clip(random.gamma(4.0, 12.5) + 30, 32, 300))
            people = 1 + (random.random() < 0.2)
            writer.add(Recording(
                tuple(make_track(random, motions[action - 1], person, frames)
                      for person in range(people)),
                np.arange(frames) / FPS, "ntu25", dims=3, fps=FPS,
                labels={"clip_id": f"S{setup:03}C{camera:03}P{subject:03}R{repetition:03}"
                                   f"A{action:03}",
                        "label": NTU120_CLASSES[action - 1], "subject": subject,
                        "camera": camera, "setup": setup, "repetition": repetition}))
        writer.finish("ntu60", classes=NTU120_CLASSES[:CLASSES])


def draw_names(random: np.random.Generator, subjects: frozenset[int], count: int) -> list[tuple]:
    """Different (setup, camera, subject, repetition, action), evenly drawn."""
    ranges = (range(1, 18), range(1, 4), sorted(subjects), range(1, 3), range(1, CLASSES + 1))
    sizes = tuple(map(len, ranges))
    chosen = np.unravel_index(random.choice(np.prod(sizes), count, replace=False), sizes)
    return list(zip(*(np.array(list(values))[index].tolist()
                      for values, index in zip(ranges, chosen, strict=True)), strict=True))


def make_motions(random: np.random.Generator) -> np.ndarray:
    """``[60, 25, 3, 360]`` metres: a body three metres away, of which each action moves joints."""
    layout = get_layout("ntu25")
    body = np.zeros((layout.num_joints, 3, 1))
    for joint, parent in enumerate(layout.parents):  # limbs hang on a trunk
        body[joint] = random.normal(scale=0.2, size=(3, 1)) * [[1], [2], [0.3]] + (parent > 0)
    body += np.array([[0], [0], [3]])
    speed = random.uniform(0.3, 2.0, (CLASSES, layout.num_joints, 3, 1))
    reach = random.exponential(0.1, (CLASSES, layout.num_joints, 3, 1))
    times = np.arange(360) / FPS
    return (body + reach * np.sin(2 * np.pi * speed * times)).astype(np.float32)


def make_track(
    random: np.random.Generator, motion: np.ndarray, person: int, frames: int
) -> PoseTrack:
    """One person in an action from a random moment on, a second one beside the first."""
    start = random.integers(0, motion.shape[-1] - frames + 1)
    place = (random.normal(scale=0.3, size=(1, 3, 1)) + [[[person], [0], [0]]])
    joints = motion[..., start : start + frames] + place.astype(np.float32)
    return PoseTrack(person, joints, np.arange(frames))


def measure_loader(store: Path, batches: int, rounds: int) -> None:
    """Clips a second from the loader, best of the rounds, as the preset prepares them."""
    config = parse(["ntu60", "--data", str(store)]).config
    arrays = Store(store).arrays
    clip = settle_form(config.clip, arrays.layout, arrays.dims, images=False)
    transform = form_clips(clip, arrays.dims, config.augment)
    print(f"loader: batches of {config.optim.batch_size}, {clip.frames} frames, {clip.people} "
          f"persons, {clip.normalise}, {clip.stream}; load {os.getloadavg()[0]:.1f}")
    rates: dict[int, list[tuple[float, float]]] = {0: [], 1: [], 2: []}
    for _ in range(rounds):
        for workers, seen in rates.items():
            repeat = -(-(batches + 5) * config.optim.batch_size // len(arrays))
            loader = Loader(arrays, batch_size=config.optim.batch_size, people=clip.people,
                            sampling=train_sampling(config), transform=transform, repeat=repeat,
                            workers=workers)
            seen.append(time_batches(loader, batches))
    for workers, seen in rates.items():
        wall, cpu = map(max, zip(*seen, strict=True))
        print(f"  {workers} workers: {wall:7,.0f} clips/s by the clock, {cpu:7,.0f} a second of "
              f"CPU (best of {rounds})")


def time_batches(loader: Loader, count: int) -> tuple[float, float]:
    """Clips a second by the clock and a second of CPU time, after a first few batches."""
    source = iter(loader)
    for _ in range(5):
        next(source)
    clock, cpu, clips = time.perf_counter(), time.process_time(), 0
    for _ in range(count):
        clips += len(next(source).clips)
    rates = clips / (time.perf_counter() - clock), clips / (time.process_time() - cpu)
    source.close()
    return rates


def train(store: Path, scratch: Path, options: argparse.Namespace) -> None:
    """Train on as many clips as the iterations take; stop half way, resume, validate, test."""
    batch = parse(["ntu60"]).config.optim.batch_size
    protocol = write_protocol(store, scratch / "iterations.csv", options.iterations * batch,
                              options.tested)
    run = scratch / "run"
    words = ["ntu60", "--data", str(store), "--protocol", str(protocol), "-o", str(run),
             "--optim.epochs", "1", "--optim.repeat", "1", "--workers", str(options.workers),
             "--save_steps", str(max(1, options.iterations // 2)),
             "--network.base_channels", str(options.base_channels),
             "--test_clips", str(options.test_clips)]
    print(f"skelact train {words[0]}: {options.iterations} iterations of {batch} clips, "
          f"{options.base_channels} base channels, {options.workers} workers; load "
          f"{os.getloadavg()[0]:.1f}")
    said, facts = watch(words, scratch / "said.txt", stop_at=run / "last.pt")
    stopped = int(re.search(r"stopped at step (\d+)", said)[1])
    print(f"  stopped by Ctrl-C after step {stopped}: {facts}")
    print(f"  resumed, validated, tested: {watch([*words, '--resume'], scratch / 'said.txt')[1]}")
    report_run(run, batch)


def report_run(run: Path, batch: int) -> None:
    row = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    steps, model = row["step"], load_model(run / "model.pt")
    print(f"  {steps} steps, before and after: {row['seconds'] / steps:.2f} s a step "
          f"({batch * steps / row['seconds']:,.0f} clips/s, {model.training['precision']}), "
          f"waiting for data {row['data_share']:.2%} of the time")
    print(f"  step {row['step']}, loss {row['loss']:.2f}, validation {row['val_accuracy']:.3f}, "
          f"test of {model.metrics['num_clips']:,} clips {model.metrics['top1']:.3f} "
          f"(chance {1 / CLASSES:.3f})")


def write_protocol(store: Path, path: Path, wanted: int, tested: int) -> Path:
    """A CSV of so many training clips, a tenth as many to validate, and so many test clips."""
    columns = Store(store).columns()
    rule = PROTOCOLS["ntu60"]["xsub"]
    random = np.random.default_rng(0)
    learn = random.permutation(np.flatnonzero(np.isin(columns["subject"], list(rule.train))))
    test = random.permutation(np.flatnonzero(np.isin(columns["subject"], list(rule.test))))
    wanted = min(wanted, len(learn) * 10 // 11)
    parts = {"train": learn[:wanted], "val": learn[wanted : wanted + wanted // 10],
             "test": test[:tested]}
    lines = [f"{columns['clip_id'][row]},{part}" for part, rows in parts.items() for row in rows]
    return write_text(path, "\n".join(["clip_id,split", *lines]) + "\n")


def watch(words: list[str], log: Path, stop_at: Path | None = None) -> tuple[str, str]:
    """Run ``skelact train``; press Ctrl-C when a file is there.

    Returns:
        What it printed, and how it went: exit code, seconds, memory.
    """
    began, own, mapped = time.perf_counter(), 0, 0
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-m", "skelact", "train", *words],
                                   stdout=output, stderr=output)
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        facts = dict(line.split(":", 1) for line in status.splitlines())
        own = max(own, int(facts.get("RssAnon", "0").split()[0]))
        mapped = max(mapped, int(facts.get("VmHWM", "0").split()[0]))
        if stop_at and stop_at.exists():
            process.send_signal(signal.SIGINT)
            stop_at = None
        time.sleep(0.2)
    if process.returncode not in (0, 130):
        raise SystemExit(f"exit code {process.returncode}: {log.read_text()}")
    return log.read_text(), (
        f"exit code {process.returncode}, {time.perf_counter() - began:.0f} s, memory at most "
        f"{own / 2**20:.2f} GiB of its own, {mapped / 2**20:.2f} with pages of mapped files")


if __name__ == "__main__":
    main()
