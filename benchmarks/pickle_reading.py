"""Time the reading of a sound pyskl pickle, and measure what the reading child holds in memory.

The child process that runs nothing is timed against ``pickle.load`` in this process, which would
run whatever the file says; both make the same recordings.

    python benchmarks/pickle_reading.py --clips 2000
"""

import argparse
import pickle
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skelact.datasets.readers.pyskl import read_pyskl, to_recording
from skelact.datasets.untrusted.pyskl_annotations import clips_of, read_annotations
from skelact.datasets.untrusted.sandbox import Message, read_in_child


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000)
    options = parser.parse_args()
    print(f"python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    time_intact(options.clips)


def time_intact(clips: int) -> None:
    """Read a sound file of NTU-like clips (2 people, 80 frames, 25 joints, float16) three times."""
    random = np.random.default_rng(0)
    annotations = [{
        "frame_dir": f"S001C001P{i:05}R001A{i % 60 + 1:03}", "label": i % 60, "total_frames": 80,
        "keypoint": random.normal(0, 1, (2, 80, 25, 3)).astype(np.float16)} for i in range(clips)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "intact.pkl"
        file.write_bytes(pickle.dumps({"split": {}, "annotations": annotations}, 4))
        del annotations
        for _ in range(3):
            start = time.perf_counter()
            count = sum(1 for _ in read_pyskl(file))
            middle = time.perf_counter()
            with open(file, "rb") as stream:
                content = pickle.load(stream)
            plain = sum(to_recording(facts | {"place": 0}, arrays, None, None, None).dims == 3
                        for facts, arrays in clips_of(content) if arrays)
            end = time.perf_counter()
            assert count == plain == clips
            print(f"{count / (middle - start):.0f} clips a second in a child process, "
                  f"{count / (end - middle):.0f} with pickle.load in this one")
            del content
        import pickle_reading  # by its name, because the child cannot import __main__

        ((facts, _),) = read_in_child(pickle_reading.measure_reading, file)
        print(f"{clips} clips, {file.stat().st_size / 1e6:.0f} MB: {facts['before']} of memory "
              f"before and {facts['after']} after all was read but the arrays")


def measure_reading(path: str) -> Iterator[Message]:
    """The memory of the child, files it maps aside, before and after it parsed a pickle."""
    before = own_memory()
    clips = read_annotations(path)
    next(clips)
    yield {"before": before, "after": own_memory()}, {}


def own_memory() -> str:
    status = Path("/proc/self/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("RssAnon")).split("\t")[1]


if __name__ == "__main__":
    main()
