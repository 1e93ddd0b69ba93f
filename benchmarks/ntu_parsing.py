"""Time a ``.skeleton`` file against line-by-line parsing; peak memory against the number of files.

Made-up captures in the official grammar: 80 to 100 frames, one or two people (the second in a
third of the files), in some files a short or a wide noise body, gaps in time, and frames without
anybody; all twelve fields of a joint filled with numbers of 7 digits as the data set prints them.
The plain readers of `tests/line_by_line.py` (what the preparation code of pyskl and of SGN and
CTR-GCN does) and ours take turns on the same files, in this process, on one thread; times are CPU
seconds, the best of the rounds. Then stores are made of fewer and of more files, each in a fresh
process, whose peak resident memory (with its children's) is printed.

    python benchmarks/ntu_parsing.py --files 100 --rounds 5 --stores 500 2000
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from skelact.datasets.readers.ntu import find_ntu, read_capture
from skelact.datasets.readers.skeleton_file import read_skeleton_file
from tests.line_by_line import read_bodies, read_bodies_and_colours

_FIRST_ID = 72057594037931101  # beyond 2^53, as the sensor counts
_PREPARE = """
import resource, sys, time
from skelact.datasets.prepare import prepare

if __name__ == "__main__":
    start = time.perf_counter()
    report = prepare("ntu120", sys.argv[1], sys.argv[2], jobs=int(sys.argv[3]), overwrite=True)
    own, child = (resource.getrusage(who).ru_maxrss / 1024
                  for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{len(report.dropped)} {time.perf_counter() - start} {own} {child}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100, help="files that are timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stores", type=int, nargs="*", default=[500, 2000],
                        help="stores of so many files are made; none: skip")
    parser.add_argument("--jobs", type=int, default=1, help="processes that make a store")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, numpy "
          f"{np.__version__}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        most = max([arguments.files, *arguments.stores])
        files = [write_file(Path(folder) / "raw" / str(most), i) for i in range(most)]
        check_equal(files[: min(20, most)])
        compare(files[: arguments.files], arguments.rounds)
        for count in arguments.stores:
            measure_store(files[:count], Path(folder), arguments.jobs)


def write_file(folder: Path, seed: int) -> Path:
    """A made-up capture; the same for the same seed."""
    random = np.random.default_rng(seed)
    frames = int(random.integers(80, 101))
    shown = np.ones((1 + (random.random() < 1 / 3), frames), bool)
    if random.random() < 0.2:  # a gap of the first person
        start = random.integers(frames - 10)
        shown[0, start : start + random.integers(1, 10)] = False
    noise = random.random()
    if noise < 0.25:
        short = np.zeros((1, frames), bool)
        start = random.integers(frames - 11)
        short[0, start : start + random.integers(1, 12 if noise < 0.12 else 60)] = True
        shown = np.concatenate([shown, short])
    if random.random() < 0.1:
        shown[:, : random.integers(1, 6)] = False
    joints = make_joints(random, *shown.shape, wide=noise >= 0.12)
    name = (f"S{1 + seed % 32:03}C{1 + seed % 3:03}P{1 + seed % 106:03}R{1 + seed % 2:03}"
            f"A{1 + seed % 120:03}")
    path = folder / f"{seed:06}" / f"{name}.skeleton"  # names repeat every few thousand
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [str(frames)]
    for frame in range(frames):
        bodies = np.flatnonzero(shown[:, frame]).tolist()
        lines.append(str(len(bodies)))
        for body in bodies:
            lines.append(f"{_FIRST_ID + body} 0 1 1 1 1 0 0.02764709 0.05745083 2\n25")
            lines += [_JOINT % tuple(row) for row in joints[body, frame].tolist()]
    path.write_text("\n".join(lines) + "\n")
    return path


_JOINT = "%.7g " * 11 + "%d"


def make_joints(random: np.random.Generator, bodies: int, frames: int, wide: bool) -> np.ndarray:
    """``[bodies, frames, 25, 12]``: every field of a joint."""
    body = random.normal(0, (0.25, 0.5, 0.1), (bodies, 1, 25, 3))
    if wide and bodies > 1:
        body[-1, ..., :2] *= (5, 0.2)
    path = random.normal(0, 0.01, (bodies, frames, 25, 3)).cumsum(axis=1)
    places = body + path + random.normal(0, 0.5, (bodies, 1, 1, 3)) + (0, 0, 3.2)
    depth = places[..., :2] / places[..., 2:] * 365 * (1, -1) + (256, 212)
    colour = depth * 3.75
    turn = random.normal(0, 0.5, (bodies, frames, 25, 4))
    state = 2 - (random.random((bodies, frames, 25, 1)) < 0.1)
    return np.concatenate([places, depth, colour, turn, state], axis=-1)


def check_equal(files: list[Path]) -> None:
    for file in files:
        ours, plain = read_skeleton_file(file), read_bodies(file)
        colours = read_bodies_and_colours(file)
        assert set(ours.body_ids.tolist()) == set(plain) == set(colours)
        for body_id, (frames, joints) in plain.items():
            rows = ours.body_ids == body_id
            np.testing.assert_array_equal(ours.frame_index[rows], frames)
            np.testing.assert_array_equal(ours.joints[rows], joints)
            np.testing.assert_array_equal(colours[body_id][1], joints)


def compare(files: list[Path], rounds: int) -> None:
    runs = {"line by line (pyskl)": read_bodies,
            "line by line with colours (SGN, CTR-GCN)": read_bodies_and_colours,
            "ours: read_skeleton_file": read_skeleton_file,
            "ours: read_capture (profile skelact)": read_capture}
    best = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, read in runs.items():
            start = time.process_time()
            for file in files:
                read(file)
            best[name] = min(best[name], (time.process_time() - start) / len(files))
    size = sum(file.stat().st_size for file in files) / len(files) / 1024
    print(f"{len(files)} files of {size:.0f} KiB on average, best of {rounds} rounds, warm, one "
          "core, CPU time")
    ours = best["ours: read_skeleton_file"]
    for name, seconds in best.items():
        print(f"  {name:<42}{seconds * 1000:8.2f} ms a file   {seconds / ours:5.2f} x "
              "read_skeleton_file")


def measure_store(files: list[Path], folder: Path, jobs: int) -> None:
    raw = folder / f"of_{len(files)}"
    raw.mkdir()
    for file in files:
        place = raw / file.parent.name
        place.mkdir()
        os.link(file, place / file.name)
    run = subprocess.run([sys.executable, "-c", _PREPARE, raw, folder / f"store_{len(files)}",
                          str(jobs)], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    dropped, seconds, own, child = map(float, run.stdout.split())
    print(f"  store of {len(find_ntu(raw))} files, jobs={jobs}: {seconds:.1f} s, peak "
          f"{own:.0f} MiB here, {child:.0f} MiB in the largest child, {dropped:.0f} dropped")


if __name__ == "__main__":
    main()
