"""How surely the axes of 3-D data sets are found and undone.

Every store is distorted in known ways (unit, mirror, turned axes, rolled camera, pixels of a
sensor, exchanged names), whole and in subsets of 20 clips. A distortion counts as undone when the
harmonised clips are those that harmonising the undistorted ones gives, up to a turn about the
vertical, within 5 cm in the mean over joints; for pixels, which leave perspective in, within 15 cm;
for rolled cameras within 10 cm, because the lean of people that alone is left (below 10 degrees) is
taken out with the roll. Exchanged names can be told from a mirror only by the hand that works where
one does: without ten such clips that agree, they are taken for a mirror and the report says so.

Example:
    python benchmarks/axis_detection.py nw_ucla.store utd_mhad.store msr_action3d.store
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.store import Store
from skelact.evaluation.harmonise import harmonise, inspect_axes

ROLL = np.radians(30)


def linear(*rows):
    matrix = np.array(rows, np.float32)
    return lambda arrays: replace(arrays, joints=arrays.joints @ matrix.T)


def pixels(focal: float, depth: float):
    """Image coordinates of a Kinect with y down and x right, and depth."""
    def change(arrays: ClipArrays) -> ClipArrays:
        x, y, z = np.moveaxis(np.asarray(arrays.joints, np.float64), -1, 0)
        z = np.maximum(z, 0.5)
        image = np.stack([320 - focal * x / z, 240 - focal * y / z, depth * z], axis=-1)
        return replace(arrays, joints=image.astype(np.float32))
    return change


def exchange_names(arrays: ClipArrays) -> ClipArrays:
    return replace(arrays, joints=arrays.joints[:, arrays.layout.flip_order])


def both(first, second):
    return lambda arrays: second(first(arrays))


MIRROR = linear((-1, 0, 0), (0, 1, 0), (0, 0, 1))
DISTORTIONS = {
    "none": lambda arrays: arrays,
    "millimetres": linear((1000, 0, 0), (0, 1000, 0), (0, 0, 1000)),
    "centimetres": linear((100, 0, 0), (0, 100, 0), (0, 0, 100)),
    "mirrored x": MIRROR,
    "mirrored z": linear((1, 0, 0), (0, 1, 0), (0, 0, -1)),
    "z up": linear((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "y and z exchanged": linear((1, 0, 0), (0, 0, 1), (0, 1, 0)),
    "x up": linear((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "y down": linear((1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "y down, x reversed": linear((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "rolled 30 degrees": linear((np.cos(ROLL), -np.sin(ROLL), 0), (np.sin(ROLL), np.cos(ROLL), 0),
                                (0, 0, 1)),
    "millimetres, mirrored": both(MIRROR, linear((1000, 0, 0), (0, 1000, 0), (0, 0, 1000))),
    "millimetres, mirrored, z up, rolled": both(
        both(MIRROR, linear((1000 * np.cos(ROLL), -1000 * np.sin(ROLL), 0),
                            (1000 * np.sin(ROLL), 1000 * np.cos(ROLL), 0), (0, 0, 1000))),
        linear((1, 0, 0), (0, 0, -1), (0, 1, 0))),
    "left and right exchanged": exchange_names,
    "pixels (640), depth in mm": pixels(525, 1000),
    "pixels (320), depth in mm": pixels(285, 1000),
    "pixels (640), depth in m": pixels(525, 1),
}


def undone(distorted: ClipArrays, truth: ClipArrays) -> float:
    """Metres between joints, in the mean, around each frame's own middle, best turned about y."""
    a, b = (np.asarray(x.joints, np.float64) for x in (distorted, truth))
    a, b = (x - np.nanmean(x, axis=1, keepdims=True) for x in (a, b))
    known = np.isfinite(a).all(axis=(1, 2)) & np.isfinite(b).all(axis=(1, 2))
    a, b = a[known], b[known]
    if not len(a):
        return float("nan")
    cross = (a[..., 0] + 1j * a[..., 2]).conj() * (b[..., 0] + 1j * b[..., 2])
    level = (a[..., 0] + 1j * a[..., 2]) * np.exp(1j * np.angle(cross.sum()))
    moved = np.stack([level.real, a[..., 1], level.imag], axis=-1)
    return float(np.linalg.norm(moved - b, axis=-1).mean())


def take(arrays: ClipArrays, rows: np.ndarray) -> ClipArrays:
    """Some clips as arrays of their own."""
    tracks = np.concatenate([np.arange(*arrays.clip_offsets[[row, row + 1]]) for row in rows])
    frames = np.concatenate([np.arange(*arrays.track_offsets[[t, t + 1]]) for t in tracks])
    sizes = np.diff(arrays.track_offsets)[tracks]
    return replace(
        arrays, joints=arrays.joints[frames], frame_index=arrays.frame_index[frames],
        track_offsets=np.cumsum([0, *sizes]),
        clip_offsets=np.cumsum([0, *np.diff(arrays.clip_offsets)[rows]]),
        num_frames=arrays.num_frames[rows], labels=arrays.labels[rows], fps=arrays.fps[rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="+", help="folders of 3-D stores")
    parser.add_argument("--clips", type=int, default=20, help="clips of a subset")
    parser.add_argument("--subsets", type=int, default=20, help="subsets of each store")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    for folder in options.stores:
        store = Store(folder)
        whole = replace(store.arrays, joints=np.array(store.arrays.joints))
        subsets = [take(whole, np.sort(random.choice(len(whole), options.clips, replace=False)))
                   for _ in range(options.subsets)]
        start = time.perf_counter()
        inspect_axes(whole)
        print(f"{store.header.name}: {len(whole)} clips inspected in "
              f"{time.perf_counter() - start:.2f} s; undone, and mean distance in cm")
        for name, change in DISTORTIONS.items():
            limit = 0.15 if "pixels" in name else 0.1 if "rolled" in name else 0.05
            errors = []
            for arrays in (whole, *subsets):
                truth = harmonise(arrays, inspect_axes(arrays))
                distorted = change(arrays)
                errors.append(undone(harmonise(distorted, inspect_axes(distorted)), truth))
            parts = np.array(errors[1:])
            print(f"  {name:<36} whole {'yes' if errors[0] < limit else 'NO '} "
                  f"{100 * errors[0]:5.1f}   {options.clips} clips: {(parts < limit).sum()} of "
                  f"{len(parts)}, worst {100 * parts.max():.1f}", flush=True)


if __name__ == "__main__":
    main()
