"""The other half of `skelact.visualization.packing`, written once more from its description."""

import zlib

import numpy as np

from skelact.pose.recording import Recording
from skelact.visualization.packing import PackedRecording


def unpack(packed: PackedRecording, recording: Recording):
    """Times ``[T]`` from the first frame on, and (coordinates ``[N, C, F]``, levels ``[N, F]``,
    frames ``[F]``) of each track; NaN where a joint is missing."""
    data = zlib.decompress(packed.data)
    joints, channels = recording.layout.num_joints, packed.channels
    times = np.cumsum(np.frombuffer(data, "<u4", recording.num_frames)) * 1e-4
    at, tracks = 4 * recording.num_frames, []
    for runs in packed.runs:
        frames = np.array([f for first, count in runs for f in range(first, first + count)], int)
        shape = (joints, channels, len(frames))
        count = int(np.prod(shape))
        low = np.frombuffer(data, np.uint8, count, at).astype(np.int64)
        high = np.frombuffer(data, np.uint8, count, at + count).astype(np.int64)
        levels = np.frombuffer(data, np.uint8, joints * len(frames), at + 2 * count)
        at += 2 * count + levels.size
        zigzag = low + 256 * high
        moves = np.where(zigzag % 2, -(zigzag + 1) // 2, zigzag // 2).reshape(shape)
        steps = (np.cumsum(moves, axis=2) + 32768) % 65536 - 32768
        levels = levels.reshape(joints, len(frames))
        places = np.array(packed.middle)[:, None] + packed.step * steps
        tracks.append((np.where(levels[:, None] == 0, np.nan, places), levels, frames))
    assert at == len(data)
    return times, tracks
