"""Clips in memory: sampling against a plain loop, and the batches drawn from them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from recordings import capture, walking
from torch import Generator

from skelact.config import AugmentConfig
from skelact.datasets.clips import (
    TEN_VIEWS,
    Clips,
    View,
    draw_instants,
    draw_windows,
    random_clips,
    shuffled_batches,
    view_clips,
)
from skelact.errors import LayoutError, SkelactError
from skelact.pose.recording import PoseTrack, Recording
from skelact.transforms.remap import remap

CLASSES = ("walk", "run")
PLAIN = AugmentConfig(crop=1, low_rate=0, flip=0, swap_sides=0, rotate=0, scale=0, stretch=0,
                      jitter=0, bias=0, drop_joint=0, drop_part=0, drop_span=0, camera=0)


def random_recording(frames: int, seed: int, label="walk", dims=2) -> Recording:
    joints = np.random.default_rng(seed).normal(size=(13, 3, frames)).astype(np.float32)
    return Recording((PoseTrack(0, joints, np.arange(frames)),), np.arange(frames) / 30, "penn13",
                     dims=dims, labels={"label": label, "clip_id": seed})


@pytest.fixture(scope="module")
def clips() -> Clips:
    lengths = (7, 1, 12, 30)
    recordings = [random_recording(n, i, ("walk", "run", "fly", "run")[i])
                  for i, n in enumerate(lengths)]
    return Clips.from_recordings(recordings, "penn13", CLASSES)


def seeded(seed=0) -> Generator:
    return Generator().manual_seed(seed)


def test_recordings_become_clips(clips):
    assert len(clips) == 4
    assert clips.lengths().tolist() == [7, 1, 12, 30]
    assert clips.labels.tolist() == [0, 1, 2, 1]  # fly is no known action
    assert clips.dims == 2
    assert [facts["clip_id"] for facts in clips.facts] == [0, 1, 2, 3]
    third = random_recording(12, 2).tracks[0].joints
    np.testing.assert_array_equal(clips.joints[8:20].permute(1, 2, 0), third)


def test_other_skeletons_are_converted_and_gaps_bridged():
    recording = walking(frames=20, step=2, labels={"label": "walk"})
    track = recording.tracks[0]
    track.joints[:, :, 5:9] = np.nan
    track.joints[9] = np.nan  # a wrist that is never seen
    whole = remap(walking(frames=20, step=2), "penn13").tracks[0].joints
    clips = Clips.from_recordings([recording], "penn13", CLASSES)
    joints = clips.joints.permute(1, 2, 0).numpy()
    lost = np.isnan(joints).any(axis=(1, 2))
    assert lost.sum() == 1
    assert np.isnan(joints[lost]).all()
    np.testing.assert_allclose(joints[~lost], whole[~lost], atol=1e-3)


def test_the_person_seen_most_is_taken():
    recording = walking(frames=20, people=2, step=2, labels={"label": "walk"})
    passing, staying = recording.tracks
    passing = PoseTrack(1, passing.joints[:, :, :9], passing.frame_index[:9])
    both = Clips.from_recordings([replace(recording, tracks=(passing, staying))], "coco17", CLASSES)
    alone = Clips.from_recordings([replace(recording, tracks=(staying,))], "coco17", CLASSES)
    assert torch.equal(both.joints, alone.joints)


def test_recordings_of_nobody_are_left_out():
    nobody = Recording((), np.arange(3) / 30, "penn13", labels={"label": "run"})
    clips = Clips.from_recordings([nobody, random_recording(4, 0)], "penn13", CLASSES)
    assert clips.labels.tolist() == [0]


def test_what_cannot_be_clips_is_refused():
    with pytest.raises(SkelactError, match="with people in them, got none"):
        Clips.from_recordings([], "penn13", CLASSES)
    mixed = [random_recording(4, 0), replace(random_recording(4, 0, dims=3))]
    with pytest.raises(SkelactError, match="all 2-D or all 3-D, got both"):
        Clips.from_recordings(mixed, "penn13", CLASSES)
    with pytest.raises(SkelactError, match=r"labels\['label'\]"):
        Clips.from_recordings([replace(random_recording(4, 0), labels={})], "penn13", CLASSES)
    with pytest.raises(LayoutError):
        Clips.from_recordings([random_recording(4, 0)], "hand21", CLASSES)


def naive_sample(clips: Clips, row: int, positions, step: float = 1) -> np.ndarray:
    """``[N, 3, F]`` one position after another."""
    start, end = int(clips.offsets[row]), int(clips.offsets[row + 1])
    joints = clips.joints[start:end].numpy()
    out = []
    for position in positions:
        first = math.floor(positions[0])
        grid = (position - first) / step
        before = min(first + math.floor(grid) * step, len(joints) - 1)
        after = min(first + (math.floor(grid) + 1) * step, len(joints) - 1)
        share = grid - math.floor(grid)
        out.append(joints[int(before)] * (1 - share) + joints[int(after)] * share)
    return np.stack(out, axis=-1)


@pytest.mark.parametrize("seed", range(5))
def test_sampling_is_a_plain_loop(clips, seed):
    random = np.random.default_rng(seed)
    rows = random.integers(0, 4, 6)
    lengths = clips.lengths().numpy()[rows]
    positions = np.sort(random.uniform(0, lengths[:, None] - 1, (6, 9)), axis=1).astype(np.float32)
    step = random.integers(1, 5, 6)
    for steps in (None, step):
        out = clips.sample(torch.from_numpy(rows), torch.from_numpy(positions),
                           None if steps is None else torch.from_numpy(steps))
        assert out.shape == (6, 13, 3, 9)
        for i, row in enumerate(rows):
            expected = naive_sample(clips, row, positions[i], 1 if steps is None else steps[i])
            np.testing.assert_allclose(out[i], expected, atol=1e-4)


def test_whole_frames_are_taken_as_they_are_and_the_end_stands_still(clips):
    out = clips.sample(torch.tensor([2]), torch.tensor([[0.0, 3, 11, 20]]))[0]
    frames = clips.joints[8:20].permute(1, 2, 0)
    assert torch.equal(out, frames[:, :, [0, 3, 11, 11]])


def test_a_lower_rate_shows_straight_lines_between_the_frames_kept(clips):
    out = clips.sample(torch.tensor([3]), torch.arange(13.0)[None], torch.tensor([6]))[0]
    frames = clips.joints[20:50].permute(1, 2, 0)
    assert torch.equal(out[..., [0, 6, 12]], frames[..., [0, 6, 12]])
    torch.testing.assert_close(out[..., 3], (frames[..., 0] + frames[..., 6]) / 2)
    assert out[..., :7].diff(dim=-1).diff(dim=-1).abs().max() < 1e-5


@pytest.mark.parametrize("rows", [[2, 0], torch.tensor([2, 0]), [-2, 0]])
def test_subsets_by_index(clips, rows):
    part = clips.subset(rows)
    assert part.labels.tolist() == [2, 0]
    assert part.lengths().tolist() == [12, 7]
    assert torch.equal(part.joints, torch.cat([clips.joints[8:20], clips.joints[:7]]))
    assert [facts["clip_id"] for facts in part.facts] == [2, 0]


def test_subsets_by_mask_and_of_nothing(clips):
    part = clips.subset(torch.tensor([False, True, False, True]))
    assert [facts["clip_id"] for facts in part.facts] == [1, 3]
    assert clips.subset([True, False, False, False]).lengths().tolist() == [7]
    none = clips.subset([])
    assert (len(none), none.joints.shape) == (0, (0, 13, 3))
    with pytest.raises(IndexError):
        clips.subset([4])
    with pytest.raises(IndexError):
        clips.subset(torch.tensor([True, False]))


@pytest.mark.parametrize(("count", "size"), [(1, 8), (8, 8), (11, 8), (13, 8), (100, 7), (5, 1)])
def test_batches_cover_every_row_once_and_are_alike_in_size(count, size):
    batches = list(shuffled_batches(count, size, seeded()))
    sizes = [len(batch) for batch in batches]
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= 1.5 * size
    again = torch.cat(list(shuffled_batches(count, size, seeded())))
    assert torch.equal(again, torch.cat(batches))
    if count > 8:
        assert not torch.equal(again, torch.cat(list(shuffled_batches(count, size, seeded(1)))))


def test_a_view_of_the_whole_keeps_the_order_of_time(clips):
    out = view_clips(clips, torch.tensor([3, 1]), 30)
    assert out.shape == (2, 1, 13, 3, 30)
    frames = clips.joints[20:50].permute(1, 2, 0)[None]
    low, high = frames[:, :, :2].amin(1), frames[:, :, :2].amax(1)
    centre = ((low + high) / 2).mean(-1)[:, None, :, None]
    size = (high - low).amax(1).mean()
    torch.testing.assert_close(out[:1, 0, :, :2], (frames[:, :, :2] - centre) / size, atol=1e-4,
                               rtol=1e-4)
    assert torch.equal(out[1], out[1, ..., :1].expand_as(out[1]))  # one frame stands still
    assert not out.isnan().any()


def test_a_view_takes_its_part(clips):
    late = view_clips(clips, torch.tensor([3]), 15, View(share=0.5, offset=1))
    last_half = Clips(clips.layout, clips.joints[35:50], torch.tensor([0, 15]), clips.labels[3:],
                      2, clips.facts[3:], CLASSES)
    torch.testing.assert_close(late, view_clips(last_half, torch.tensor([0]), 15))


def test_a_mirrored_view_swaps_left_and_right(clips):
    rows = torch.arange(4)
    plain, mirrored = (view_clips(clips, rows, 9, View(mirror=m)) for m in (False, True))
    torch.testing.assert_close(mirrored[:, :, :, 0], -plain[:, :, clips.layout.flip_order, 0])
    torch.testing.assert_close(mirrored[:, :, :, 1:], plain[:, :, clips.layout.flip_order, 1:])


def test_ten_views_differ(clips):
    views = [view_clips(clips, torch.tensor([3]), 20, view) for view in TEN_VIEWS]
    assert len(views) == 10
    assert len({tuple(view.flatten().tolist()) for view in views}) == 10


def test_a_plain_window_is_the_whole_clip(clips):
    rows = torch.tensor([0, 2, 3])
    drawn = draw_windows(clips, rows, 16, PLAIN, seeded())
    positions = torch.linspace(0, 1, 16) * (clips.lengths()[rows] - 1)[:, None]
    torch.testing.assert_close(drawn, clips.sample(rows, positions))


def test_crops_are_as_long_as_asked_and_everywhere():
    frames = 100
    joints = np.repeat(np.arange(frames, dtype=np.float32)[None, None], 13, 0).repeat(3, 1)
    recording = Recording((PoseTrack(0, joints, np.arange(frames)),), np.arange(frames) / 30,
                          "penn13", labels={"label": "walk"})
    clips = Clips.from_recordings([recording], "penn13", CLASSES)
    config = replace(PLAIN, crop=0.4)
    drawn = draw_windows(clips, torch.zeros(400, dtype=torch.long), 20, config, seeded())[:, 0, 0]
    span = drawn[:, -1] - drawn[:, 0]
    assert span.min() >= 0.4 * frames - 1.01
    assert span.min() < 0.45 * frames
    assert span.max() > 0.95 * frames
    assert drawn.min() < 3
    assert drawn.max() > frames - 4
    coarse = draw_windows(clips, torch.zeros(400, dtype=torch.long), 20,
                          replace(config, low_rate=1.0), seeded())
    assert not torch.equal(coarse[:, 0, 0], drawn)


def test_an_instant_is_six_frames_at_most():
    recording = random_recording(50, 0)
    recording.tracks[0].joints[:] = np.arange(50)
    clips = Clips.from_recordings([recording, random_recording(1, 1)], "penn13", CLASSES)
    rows = torch.zeros(300, dtype=torch.long)
    drawn = draw_instants(clips, rows, 20, seeded())[:, 0, 0]
    span = drawn[:, -1] - drawn[:, 0]
    assert span.min() >= 0
    assert 4.5 < span.max() <= 5
    assert drawn.min() < 2
    assert drawn.max() > 45
    single = draw_instants(clips, rows[:2] + 1, 20, seeded())
    assert torch.equal(single, single[..., :1].expand_as(single))


def test_random_clips_are_ready_for_a_network_and_the_same_for_a_seed(clips):
    rows = torch.tensor([0, 3, 3, 1])
    first = random_clips(clips, rows, 16, AugmentConfig(), seeded(2))
    assert first.shape == (4, 1, 13, 3, 16)
    assert first.isfinite().all()
    assert torch.equal(first, random_clips(clips, rows, 16, AugmentConfig(), seeded(2)))
    assert not torch.equal(first[1], first[2])


def test_three_dimensional_clips_are_seen_from_random_sides():
    clips = Clips.from_recordings([replace(capture(), labels={"label": "fly"})], "penn13", CLASSES)
    assert clips.dims == 3
    rows = torch.zeros(50, dtype=torch.long)
    front = view_clips(clips, rows[:1], 8)[0, 0]
    head, ankle = (clips.layout.index(name) for name in ("head", "left_ankle"))
    assert (front[head, 1] < front[ankle, 1]).all()  # y down, as in a picture
    shoulders = [clips.layout.index(f"{side}_shoulder") for side in ("left", "right")]
    assert (front[shoulders[0], 0] > front[shoulders[1], 0]).all()  # facing us
    views = random_clips(clips, rows, 8, PLAIN, seeded())[:, 0]
    width = views[:, shoulders[0], 0, 0] - views[:, shoulders[1], 0, 0]
    assert (width > 0).any()
    assert (width < 0).any()  # also from behind
    assert (views[:, head, 1] < views[:, ankle, 1]).all()
