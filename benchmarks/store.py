"""Random reads from a store, and what opening a large one costs.

Reads: clips are taken in random order and all bytes of each are summed (as 64-bit words, so that
memory and not the addition is measured), straight through the memory map, warm. The baseline in the
same run is one ``.npy`` file a clip, memory-mapped and summed alike. Opening: a store of many clips
of one frame is opened in a fresh process; the growth of resident memory counts from after the
imports to after the first and the last clip were read.

    python benchmarks/store.py --clips 20000 --frames 100 --open-clips 1000000
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from skelact.datasets.store import Store, StoreWriter
from skelact.pose.recording import PoseTrack, Recording

_OPEN = """
import sys
import resource
import numpy, pyarrow
from skelact.datasets.store import Store

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

before = resident()
store = Store(sys.argv[1])
opened = resident()
first, last = store.recording(0), store.recording(len(store) - 1)
print(len(store), before, opened - before, resident() - before)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=20_000, help="clips to read from")
    parser.add_argument("--frames", type=int, default=100, help="frames of a clip")
    parser.add_argument("--people", type=int, default=1, help="persons of a clip")
    parser.add_argument("--reads", type=int, default=200_000, help="random reads")
    parser.add_argument("--open-clips", type=int, default=1_000_000, help="clips of the large "
                        "store; 0 to leave it out")
    parser.add_argument("--folder", help="where to make the stores (default: a temporary folder)")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}, numpy {np.__version__}, python {platform.python_version()}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure_reads(Path(folder), options)
        if options.open_clips:
            measure_opening(Path(folder), options.open_clips)


def measure_reads(folder: Path, options: argparse.Namespace) -> None:
    seconds = write(folder / "store", options.clips, options.frames, options.people)
    store = Store(folder / "store")
    size = store.arrays.joints.nbytes
    print(f"\n{options.clips} clips of {options.people} x {options.frames} frames x 25 joints "
          f"({size / options.clips / 1024:.1f} KiB each, {size / 2**20:.0f} MiB), written in "
          f"{seconds:.1f} s")
    random = np.random.default_rng(0)
    rows = random.integers(0, options.clips, options.reads).tolist()
    warm = sum_clips(store, range(options.clips))
    if warm != sum_clips(store, random.permutation(options.clips).tolist()):
        raise SystemExit("the sums of two orders differ: not every byte was read")
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        sum_clips(store, rows)
        rates.append(options.reads / (time.perf_counter() - began))
    baseline = measure_files(folder, store, rows[: options.reads // 10])
    print(f"random reads, every byte summed, warm, one core: {max(rates):,.0f} clips/s (best of 3; "
          f"{', '.join(f'{rate:,.0f}' for rate in rates)}), "
          f"{max(rates) * size / options.clips / 2**30:.1f} GiB/s")
    print(f"one .npy a clip, memory-mapped: {baseline:,.0f} clips/s; the store is "
          f"{max(rates) / baseline:.1f} times as fast")


def sum_clips(store: Store, rows) -> int:
    joints, add = store.joints, np.add.reduce
    total = 0
    for row in rows:
        total += int(add(joints(row).reshape(-1).view(np.uint64)))
    return total % 2**64


def measure_files(folder: Path, store: Store, rows: list[int]) -> float:
    """Clips a second from one file a clip (of the first thousand clips)."""
    for row in range(min(1000, len(store))):
        np.save(folder / f"{row}.npy", store.joints(row))
    began = time.perf_counter()
    for row in rows:
        clip = np.load(folder / f"{row % 1000}.npy", mmap_mode="r")
        np.add.reduce(clip.reshape(-1).view(np.uint64))
    return len(rows) / (time.perf_counter() - began)


def measure_opening(folder: Path, clips: int) -> None:
    seconds = write(folder / "large", clips, frames=2, people=1)
    size = sum(file.stat().st_size for file in (folder / "large").iterdir()) / 2**20
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _OPEN, str(folder / "large")], check=True,
                          capture_output=True, text=True)
    count, before, opened, read = map(float, done.stdout.split())
    print(f"\n{count:,.0f} clips ({size:.0f} MiB, written in {seconds:.0f} s at "
          f"{clips / seconds:,.0f} clips/s): opening adds {opened:.1f} MiB resident, with two "
          f"clips read {read:.1f} MiB, to {before:.0f} MiB after the imports; process took "
          f"{time.perf_counter() - began:.1f} s")


def write(folder: Path, clips: int, frames: int, people: int) -> float:
    """Write made-up clips; gives the seconds it took."""
    random = np.random.default_rng(0)
    pool = random.normal(size=(64, 25, 3, frames)).astype(np.float32)
    index, times = np.arange(frames), np.arange(frames) / 30
    began = time.perf_counter()
    with StoreWriter(folder) as writer:
        for i in range(clips):
            tracks = tuple(PoseTrack(m, pool[(i + 7 * m) % 64], index) for m in range(people))
            writer.add(Recording(tracks, times, "ntu25", dims=3, fps=30.0,
                                 labels={"clip_id": f"c{i}", "label": f"class_{i % 60}",
                                         "subject": i % 40}))
        writer.finish("made_up")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
