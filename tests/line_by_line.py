"""The plain way to read a ``.skeleton`` file, as published code does it: one line at a time."""

from pathlib import Path

import numpy as np


def read_bodies(file: Path) -> dict[int, tuple[list[int], np.ndarray]]:
    """Frames and ``[F, 25, 3]`` float32 joints of every body, in the order of the file."""
    lines = [line.strip() for line in Path(file).read_text().split("\n")]
    bodies, place = {}, 1
    for frame in range(int(lines[0])):
        count = int(lines[place])
        place += 1
        for _ in range(count):
            body_id = int(lines[place].split()[0])
            assert int(lines[place + 1]) == 25
            place += 2
            joints = np.zeros((25, 3), np.float32)
            for joint in range(25):
                joints[joint] = np.array(lines[place].split()[:3], dtype=np.float32)
                place += 1
            frames, seen = bodies.setdefault(body_id, ([], []))
            frames.append(frame)
            seen.append(joints)
    return {body_id: (frames, np.stack(seen)) for body_id, (frames, seen) in bodies.items()}
