"""The plain way to read a ``.skeleton`` file: one line at a time, as published code does it."""

from pathlib import Path

import numpy as np


def read_bodies(file: Path) -> dict[int, tuple[list[int], np.ndarray]]:
    """Frames and ``[F, 25, 3]`` float32 joints of every body, as pyskl's preparation parses."""
    with open(file) as stream:
        lines = [line.strip() for line in stream]
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
    assert place == len(lines)
    return {body_id: (frames, np.stack(seen)) for body_id, (frames, seen) in bodies.items()}


def read_bodies_and_colours(file: Path) -> dict[int, tuple[list[int], np.ndarray]]:
    """The same as SGN's and CTR-GCN's preparation parses it: with the pixels of the RGB video."""
    with open(file) as stream:
        lines = stream.readlines()
    bodies, place = {}, 1
    for frame in range(int(lines[0].strip("\r\n"))):
        count = int(lines[place].strip("\r\n"))
        place += 1
        joints = np.zeros((count, 25, 3), np.float32)
        colours = np.zeros((count, 25, 2), np.float32)
        for body in range(count):
            body_id = int(lines[place].strip("\r\n").split()[0])
            place += 2
            for joint in range(25):
                fields = lines[place].strip("\r\n").split()
                joints[body, joint] = np.array(fields[:3], dtype=np.float32)
                colours[body, joint] = np.array(fields[5:7], dtype=np.float32)
                place += 1
            if body_id in bodies:
                frames, seen, pixels = bodies[body_id]
                bodies[body_id] = (frames + [frame], np.vstack((seen, joints[body])),
                                   np.vstack((pixels, colours[body, np.newaxis])))
            else:
                bodies[body_id] = ([frame], joints[body], colours[body, np.newaxis])
    return {body_id: (frames, seen.reshape(-1, 25, 3))
            for body_id, (frames, seen, _) in bodies.items()}
