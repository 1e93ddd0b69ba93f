"""Batches: the same whatever the workers, resumable, balanced, and equal to the plain pipeline."""

import itertools
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.datasets.arrays import ClipArrays
from skelact.datasets.loader import Loader
from skelact.datasets.sampling import (
    ConsecutiveFrames,
    FramePairs,
    PysklTestClips,
    UniformSegments,
)
from skelact.errors import ChoiceError, SkelactError
from skelact.transforms.compose import Compose
from skelact.transforms.random_steps import (
    ChangeSpeed,
    Distort,
    Distort3D,
    DropJoints,
    Flip,
    Jitter,
)
from skelact.transforms.steps import CanonicalView, ChangeRate, ScaleByImage, Stream
from tests.dict_pipeline import run_pipeline
from tests.recordings import walking

CHANGED = Compose(Flip(), Distort3D(), DropJoints(0.2), Jitter(0.01))


def ntu_clips(count: int = 23, seed: int = 0) -> ClipArrays:
    """One or two people, everyone there all the time; classes of very different sizes."""
    random = np.random.default_rng(seed)
    num_frames, people = random.integers(5, 90, count), random.integers(1, 3, count)
    lengths = np.repeat(num_frames, people)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    labels = np.where(np.arange(count) % 8 == 0, 2, np.arange(count) % 2)
    return ClipArrays("ntu25", 3, random.normal(size=(offsets[-1], 25, 3)).astype(np.float32),
                      offsets, np.concatenate([np.arange(n) for n in lengths]),
                      np.concatenate([[0], np.cumsum(people)]), num_frames, labels,
                      np.full(count, 30.0))


def loader(arrays=None, **fields) -> Loader:
    fields = {"batch_size": 4, "sampling": UniformSegments(16), "transform": CHANGED, **fields}
    return Loader(arrays or ntu_clips(), **fields)


def assert_same(batches, others) -> None:
    for one, other in itertools.zip_longest(batches, others):
        for name in ("clips", "mask", "labels", "index"):
            assert torch.equal(getattr(one, name), getattr(other, name))


def test_a_batch():
    arrays = ntu_clips()
    batches = list(loader(arrays, shuffle=False, transform=None))
    assert [len(b.clips) for b in batches] == [4, 4, 4, 4, 4, 3]
    assert batches[0].clips.shape == (4, 2, 25, 3, 16)
    assert batches[0].clips.dtype == torch.float32
    assert torch.cat([b.index for b in batches]).tolist() == list(range(23))
    assert torch.cat([b.labels for b in batches]).tolist() == arrays.labels.tolist()
    alone = torch.from_numpy(np.diff(arrays.clip_offsets)) == 1
    mask = torch.cat([b.mask for b in batches])
    assert mask[:, 0].all()
    assert torch.equal(mask[:, 1].any(dim=1), ~alone)
    clips = torch.cat([b.clips for b in batches])
    assert (clips[alone, 1] == 0).all()
    assert not clips.isnan().any()
    single = next(iter(loader(arrays, people=1, transform=None, shuffle=False)))
    assert torch.equal(single.clips[:, 0], batches[0].clips[:, 0])


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_same_batches(workers):
    assert_same(loader(workers=workers), loader())
    again = loader(workers=workers)
    list(again)
    assert_same(again, list_of_epoch(1))


def list_of_epoch(epoch: int, **fields):
    fresh = loader(**fields)
    fresh.set_epoch(epoch)
    return list(fresh)


def test_epochs_and_seeds_differ_and_come_back():
    first, second = list_of_epoch(0), list_of_epoch(1)
    assert sorted(i for b in first for i in b.index.tolist()) == list(range(23))
    assert [b.index.tolist() for b in first] != [b.index.tolist() for b in second]
    # the same clip is cut and changed in another way
    plain = [loader(shuffle=False), loader(shuffle=False), loader(shuffle=False, seed=1)]
    plain[1].set_epoch(1)
    clips = [next(iter(p)).clips for p in plain]
    for one, other in itertools.combinations(clips, 2):
        assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert_same(first, list_of_epoch(0))


def test_frames_of_a_clip_do_not_depend_on_the_batch_size():
    small = loader(batch_size=1, transform=None)
    large = loader(batch_size=23, transform=None)
    clips = torch.cat([b.clips for b in small])
    assert torch.equal(clips, next(iter(large)).clips)


def shares(world_size: int, **fields) -> list[list]:
    return [list(loader(rank=rank, world_size=world_size, **fields))
            for rank in range(world_size)]


def assert_one_batch(parts, batch) -> None:
    for name in ("clips", "mask", "labels", "index"):
        assert torch.equal(torch.cat([getattr(p, name) for p in parts]), getattr(batch, name))
    assert {part.total for part in parts} == {batch.total} == {len(batch.labels)}


@pytest.mark.parametrize("world_size", [2, 4, 8])
def test_processes_share_the_very_batches_of_one(world_size):
    fields = {"batch_size": 12, "workers": 1,
              "sampling": ConsecutiveFrames(6, clips=3)}
    whole, parts = list(loader(**fields)), shares(world_size, **fields)
    assert [len(b.labels) for b in whole] == [36, 33]
    for batch, *own in zip(whole, *parts, strict=True):
        assert_one_batch(own, batch)
        sizes = [len(part.labels) // 3 for part in own]
        assert max(sizes) - min(sizes) <= 1


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_any_number_of_processes_gets_every_clip_once(draws, batch_size, world_size):
    fields = {"rows": range(draws), "arrays": ntu_clips(40), "batch_size": batch_size,
              "transform": None}
    whole = list(loader(**fields))
    sizes = [len(batch.labels) for batch in whole]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    for batch, *own in zip(whole, *shares(world_size, **fields), strict=True):
        assert_one_batch(own, batch)
        shares_of = [len(part.labels) for part in own]
        assert max(shares_of) - min(shares_of) <= 1


def test_a_share_without_a_clip_has_the_form_of_any():
    fields = {"batch_size": 2, "rows": [4, 7], "sampling": FramePairs(UniformSegments(6)),
              "transform": Compose(CanonicalView(), Flip(), Stream("bone_motion"))}
    whole, parts = list(loader(**fields)), shares(8, **fields)
    assert sorted(len(own[0].labels) for own in parts) == [0] * 6 + [1] * 2
    for own in parts:
        assert own[0].clips.shape[1:] == (2, 25, 3, 6)
        assert own[0].mask.shape[1:] == (2, 6)
    assert_one_batch([own[0] for own in parts], whole[0])


def test_a_run_goes_on_with_another_number_of_processes():
    whole = list_of_epoch(0, batch_size=6)
    begun = loader(rank=1, world_size=2, batch_size=6)
    list(itertools.islice(begun, 2))
    rest = []
    for rank in range(4):
        resumed = loader(rank=rank, world_size=4, batch_size=6)
        resumed.load_state_dict(begun.state_dict())
        rest.append(list(resumed))
    for batch, *own in zip(whole[2:], *rest, strict=True):
        assert_one_batch(own, batch)


def test_a_part_of_a_batch_has_its_own_chance():
    still = np.tile(ntu_clips().joints[:1], (16 * 20, 1, 1))
    same = ClipArrays("ntu25", 3, still, np.arange(17) * 20, np.tile(np.arange(20), 16),
                      np.arange(17), np.full(16, 20), np.zeros(16, np.int64), np.full(16, 30.0))
    batch = next(iter(loader(same, batch_size=16, transform=Distort3D())))
    assert len(batch.clips[:, 0, :, :, 0].unique(dim=0)) == 16
    plain = next(iter(loader(same, batch_size=16, transform=lambda joints, info, chance:
                             joints + torch.rand(16, 1, 1, 1, 1, generator=chance))))
    assert len(plain.clips[:, 0, :, :, 0].unique(dim=0)) == 16


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_goes_on_in_the_middle_of_an_epoch(workers):
    whole = [*list_of_epoch(0), *list_of_epoch(1)]
    interrupted = loader(workers=workers)
    begun = list(itertools.islice(interrupted, 2))
    resumed = loader(workers=workers)
    resumed.load_state_dict(interrupted.state_dict())
    resumed.set_epoch(0)  # as a training loop does; it is the epoch that was begun
    rest = list(resumed)
    assert_same([*begun, *rest], whole[:6])
    assert resumed.state_dict()["epoch"] == 1
    assert_same(resumed, whole[6:])


def test_a_pass_that_is_broken_off_begins_anew():
    peeked = loader()
    next(iter(peeked))
    assert_same(peeked, list_of_epoch(0))
    assert_same(peeked, list_of_epoch(1))


def test_a_state_of_another_run_is_refused():
    state = loader().state_dict()
    for fields in ({"seed": 1}, {"batch_size": 5}, {"rows": [1, 2]}):
        with pytest.raises(SkelactError, match="resume"):
            loader(**fields).load_state_dict(state)


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_reach_the_caller_and_no_thread_is_left(workers):
    def fail(joints, info, generator):
        raise RuntimeError("from the transform")

    with pytest.raises(RuntimeError, match="from the transform"):
        list(loader(transform=fail, workers=workers))
    stopped = iter(loader(workers=workers))
    next(stopped)
    stopped.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("skelact-loader")]


def test_balanced_and_repeated_drawing():
    arrays = ntu_clips(40)
    batches = list(loader(arrays, balanced=True, repeat=3, transform=None))
    labels = torch.cat([b.labels for b in batches])
    assert labels.bincount().tolist() == [40, 40, 40]
    index = torch.cat([b.index for b in batches])
    assert torch.equal(torch.from_numpy(arrays.labels)[index], labels)
    for label in range(3):  # all clips of a class in turn
        counts = index[labels == label].bincount()
        counts = counts[counts > 0]
        assert len(counts) == (arrays.labels == label).sum()
        assert counts.max() - counts.min() <= 1
    repeated = torch.cat([b.index for b in loader(arrays, rows=[3, 5], repeat=3)])
    assert sorted(repeated.tolist()) == [3, 3, 3, 5, 5, 5]
    views = list(loader(arrays, rows=[30], repeat=2, batch_size=1, transform=None))
    assert not torch.equal(views[0].clips, views[1].clips)


def test_several_views_stand_beside_each_other():
    rule = ConsecutiveFrames(6, clips=3, where="even")
    batch = next(iter(loader(sampling=rule, transform=None, shuffle=False)))
    assert batch.clips.shape == (12, 2, 25, 3, 6)
    assert batch.index.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert batch.labels.shape == (12,)
    assert batch.mask.shape == (12, 2, 6)


def test_images_of_different_sizes():
    recordings = [walking(6, size=size) for size in [(320, 200), (640, 100)]]
    arrays = ClipArrays.from_recordings(recordings)
    rule = UniformSegments(6, random=False)
    batch = next(iter(loader(arrays, sampling=rule, transform=ScaleByImage(), shuffle=False)))
    for recording, clip in zip(recordings, batch.clips, strict=True):
        half = torch.tensor(recording.image_size)[None, :, None] / 2
        expected = (torch.from_numpy(recording.tracks[0].joints[:, :2]) - half) / half
        torch.testing.assert_close(clip[0, :, :2], expected)


@pytest.mark.parametrize(("stream", "letter"), [
    ("joint", "j"), ("bone", "b"), ("joint_motion", "jm"), ("bone_motion", "bm")])
def test_the_test_views_of_the_plain_pipeline(stream, letter):
    arrays = ntu_clips(9)
    transform = Compose(CanonicalView(), Stream(stream))
    views = PysklTestClips(32)
    sampling = FramePairs(views) if "motion" in stream else views
    batch = next(iter(loader(arrays, batch_size=9, sampling=sampling, shuffle=False,
                             transform=transform)))
    assert batch.mask.shape == (90, 2, 32)
    clips = batch.clips.unflatten(0, (9, 10))
    for row, clip in enumerate(clips):
        tracks = range(arrays.clip_offsets[row], arrays.clip_offsets[row + 1])
        joints = np.stack([arrays.joints[arrays.track_offsets[t] : arrays.track_offsets[t + 1]]
                           for t in tracks])
        plain = run_pipeline({"keypoint": joints, "total_frames": joints.shape[1]}, 32, letter,
                             test=True)["keypoint"]
        np.testing.assert_allclose(clip.permute(0, 1, 4, 2, 3).numpy(), plain, atol=1e-5)


def test_what_makes_no_sense_is_refused():
    unlabelled = ClipArrays(**{**vars(ntu_clips(3)), "labels": np.array([0, -1, 1])})
    for fields, words in [
        ({"batch_size": 0}, "batch_size"), ({"people": 0}, "people"), ({"repeat": 0}, "repeat"),
        ({"workers": -1}, "workers"), ({"rows": [23]}, "23 clips"), ({"rows": [-1]}, "rows"),
        ({"rows": [[1]]}, "rows"), ({"rank": 1}, "rank"), ({"world_size": 0}, "world_size"),
        ({"arrays": unlabelled, "balanced": True}, "label"),
    ]:
        with pytest.raises(ChoiceError, match=words):
            loader(**fields)
    if not torch.cuda.is_available():
        with pytest.raises(ChoiceError, match="CUDA"):
            loader(pin_memory=True)
    pairs = FramePairs(UniformSegments(8))
    for transform, words in [(Stream("bone"), "motion stream"), (ChangeSpeed(), "ChangeSpeed"),
                             (ChangeRate(30, 15), "ChangeRate")]:
        with pytest.raises(SkelactError, match=words):
            list(loader(sampling=pairs, transform=transform))
    with pytest.raises(SkelactError, match="before the sampling"):
        list(loader(transform=ChangeRate(30, 15)))
    flat = ClipArrays.from_recordings([walking(5)])
    with pytest.raises(ChoiceError, match="Distort3D"):
        list(loader(flat, transform=CHANGED))
    assert len(list(loader(flat, transform=Distort()))) == 1
    assert len(loader(rows=[])) == 0
    assert list(loader(rows=[])) == []
