"""Damage pose files at random and count what the reader makes of them.

Bytes are flipped, overwritten, cut out or doubled, arrays are swapped for others inside a sound
archive. The reader must refuse with a FileFormatError or give a recording that passes its own
checks; anything else is a bug, printed with the seed that shows it.

    python benchmarks/pose_file_mutations.py --cases 20000
"""

import argparse
import io
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from skelact.errors import FileFormatError
from skelact.pose.files import load_recording, save_recording
from skelact.pose.recording import PoseTrack, Recording

STRANGE = [
    np.array(0), np.array(-1), np.array(np.nan), np.array(np.inf), np.array(2**62), np.array("x"),
    np.array(b"x"), np.array([]), np.zeros((0, 3)), np.array(1j), np.array("2026", "M8[D]"),
    np.array([(1, 2.0)], [("a", int), ("b", float)]), np.arange(6)[::-1], np.array([[]] * 4),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    outcomes, start = Counter(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npz"
        save_recording(sample(), path)
        content = path.read_bytes()
        for case in range(options.seed, options.seed + options.cases):
            outcomes[attempt(path, content, case)] += 1
    for outcome, count in outcomes.most_common():
        print(f"{count:8d}  {outcome}")
    print(f"{options.cases} cases in {time.perf_counter() - start:.0f} s")
    raise SystemExit(any(outcome.startswith("BUG") for outcome in outcomes))


def sample() -> Recording:
    random = np.random.default_rng(0)
    tracks = [PoseTrack(i, random.random((17, 3, n)), np.arange(n), random.random((4, n)),
                        random.random((17, n))) for i, n in enumerate((4, 2))]
    return Recording(tuple(tracks), np.arange(5) / 30, "coco17", image_size=(640, 360))


def attempt(path: Path, content: bytes, case: int) -> str:
    random = np.random.default_rng(case)
    path.write_bytes(damage_arrays(content, random) if case % 2 else damage_bytes(content, random))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recording = load_recording(path)
            recording.joints()
            assert recording.duration >= 0
    except FileFormatError:
        return "refused"
    except Exception as error:
        return f"BUG: {type(error).__name__}: {error} (seed {case})"
    return "loaded"


def damage_bytes(content: bytes, random: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(random.integers(1, 6)):
        place, length = random.integers(len(data)), random.integers(1, 40)
        match random.integers(4):
            case 0:
                data[place] ^= 1 << random.integers(8)
            case 1:
                data[place : place + length] = random.bytes(min(length, len(data) - place))
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = data[place : place + length]
    return bytes(data)


def damage_arrays(content: bytes, random: np.random.Generator) -> bytes:
    with np.load(io.BytesIO(content)) as file:
        arrays = dict(file)
    for name in random.choice(list(arrays), random.integers(1, 3), replace=False):
        array = arrays[name]
        match random.integers(5):
            case 0:
                del arrays[name]
            case 1:
                arrays[name] = STRANGE[random.integers(len(STRANGE))]
            case 2:
                arrays[name] = array[None]
            case 3:
                arrays[name] = np.ravel(array)[: random.integers(array.size + 1)]
            case 4:
                other = arrays[random.choice(list(arrays))]
                arrays[name] = other
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
