"""Which frames a network sees: the rules by hand, the published ones by number."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.datasets.chance import Chance
from skelact.datasets.sampling import (
    ConsecutiveFrames,
    CropResize,
    FramePairs,
    Instants,
    PysklTestClips,
    ResizedParts,
    UniformSegments,
)
from skelact.errors import ChoiceError

RANDOM_RULES = [
    UniformSegments(8), UniformSegments(8, crop=0.5), UniformSegments(8, short="stretch"),
    ConsecutiveFrames(8), ConsecutiveFrames(8, step=3, clips=2, short="zero"),
    ConsecutiveFrames(8, short="hold"), CropResize(8, shortest=4), Instants(8),
]
FIXED_RULES = [
    UniformSegments(8, random=False), UniformSegments(8, random=False, crop=0.6, short="stretch"),
    PysklTestClips(8, clips=3), ConsecutiveFrames(8, clips=3, where="even"),
    ConsecutiveFrames(8, where="first", short="zero"), CropResize(8, (0.95, 0.95), random=False),
    ResizedParts(8), ResizedParts(8, ((1.0, 0.0), (0.5, 1.0), (0.01, 0.3))),
]
lengths_of_clips = st.lists(st.integers(0, 60), min_size=1, max_size=12).map(np.array)


def chance(count: int, seed: int = 0, epoch: int = 0) -> Chance:
    return Chance(seed, epoch, np.arange(count))


@pytest.mark.parametrize("rule", [*RANDOM_RULES, *FIXED_RULES], ids=str)
@given(lengths=lengths_of_clips, seed=st.integers(0, 2**40))
@settings(max_examples=15, deadline=None)
def test_positions_lie_in_the_clip_and_do_not_depend_on_company(rule, lengths, seed):
    draws = np.arange(len(lengths)) * 7 + 3
    positions = rule(lengths, Chance(seed, 2, draws))
    assert positions.shape[0] == len(lengths)
    assert positions.shape[2] == 8
    assert (positions >= -1).all()
    assert (positions <= np.maximum(lengths - 1, -1)[:, None, None]).all()
    assert (positions[lengths == 0] == -1).all()
    if getattr(rule, "short", "") != "zero":
        assert (positions[lengths > 0] >= 0).all()
    order = np.argsort(draws)[::-1]
    alone = [rule(lengths[i : i + 1], Chance(seed, 2, draws[i : i + 1]))[0] for i in order]
    np.testing.assert_array_equal(np.stack(alone), positions[order])


@pytest.mark.parametrize("rule", RANDOM_RULES, ids=str)
def test_another_epoch_seed_or_draw_gives_other_frames(rule):
    lengths = np.full(50, 55)
    first = rule(lengths, chance(50))
    for other in (chance(50, seed=1), chance(50, epoch=1), Chance(0, 0, np.arange(50, 100))):
        same = (rule(lengths, other) == first).all(axis=(1, 2))
        assert same.mean() < 0.2
    assert len(np.unique(first.reshape(50, -1), axis=0)) > 15


def test_chance_is_even_and_independent():
    values = Chance(3, 1, np.arange(20_000)).even(4)
    assert ((values >= 0) & (values < 1)).all()
    counts = np.apply_along_axis(lambda v: np.histogram(v, 20, (0, 1))[0], 0, values)
    assert abs(counts - 1000).max() < 150  # five standard deviations
    neighbours = np.corrcoef(np.concatenate([values[:-1].T, values[1:].T]))
    assert abs(neighbours - np.eye(8)).max() < 0.05
    assert not np.intersect1d(values, Chance(3, 1, np.arange(20_000)).even(4, purpose=1)).size
    np.testing.assert_array_equal(values[5:6, :2], Chance(3, 1, np.array([5])).even(2))


def test_one_frame_of_each_segment():
    lengths = np.full(4000, 20)
    positions = UniformSegments(8)(lengths, chance(4000))[:, 0]
    edges = np.arange(9) * 20 // 8
    for i in range(8):
        seen, counts = np.unique(positions[:, i], return_counts=True)
        assert seen.tolist() == list(range(edges[i], edges[i + 1]))
        assert counts.max() / counts.min() < 1.25
    centres = UniformSegments(4, random=False)(np.array([4, 12, 8]), None)[:, 0]
    assert centres.tolist() == [[0, 1, 2, 3], [1, 4, 7, 10], [1, 3, 5, 7]]


def test_clips_that_are_too_short():
    three = np.array([3])
    stretched = UniformSegments(6, random=False, short="stretch")(three, None)[0, 0]
    assert stretched.tolist() == [0, 0, 1, 1, 2, 2]
    assert UniformSegments(5, random=False)(three, None)[0, 0].tolist() == [0, 1, 2, 0, 1]
    starts = UniformSegments(5)(np.full(300, 3), chance(300))[:, 0]
    assert set(starts[:, 0]) == {0, 1, 2}
    assert ((np.diff(starts) % 3) == 1).all()
    for short, expected in {"replay": [0, 1, 2, 0, 1], "hold": [0, 1, 2, 2, 2],
                            "zero": [0, 1, 2, -1, -1]}.items():
        rule = ConsecutiveFrames(5, where="first", short=short)
        assert rule(three, None)[0, 0].tolist() == expected


def test_consecutive_frames_and_views_over_the_clip():
    positions = ConsecutiveFrames(4, step=2)(np.full(500, 10), chance(500))[:, 0]
    assert (np.diff(positions) == 2).all()
    assert set(positions[:, 0]) == {0, 1, 2, 3}
    views = ConsecutiveFrames(4, clips=3, where="even")(np.array([10, 2]), None)
    assert views[0, :, 0].tolist() == [0, 3, 6]
    assert views[1].tolist() == [[0, 1, 0, 1]] * 3
    assert ConsecutiveFrames(4, where="even")(np.array([10]), None)[0, 0].tolist() == [3, 4, 5, 6]


@given(st.integers(1, 300), st.floats(0.1, 1.0), st.integers(1, 80))
@settings(max_examples=40, deadline=None)
def test_resizing_is_what_torch_does(length, share, frames):
    values = torch.randn(1, 3, length, generator=torch.Generator().manual_seed(length))
    cut = int((1 - share) * length / 2)
    expected = torch.nn.functional.interpolate(
        values[..., cut : length - cut], size=frames, mode="linear", align_corners=False)[0]
    at = CropResize(frames, (share, share), random=False)(np.array([length]), None)[0, 0]
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, length - 1)
    weight = torch.from_numpy(at - low).float()
    torch.testing.assert_close(torch.lerp(values[0][:, low], values[0][:, high], weight), expected,
                               atol=1e-4, rtol=0)


def test_random_crops_have_the_shares_asked_for():
    positions = CropResize(64, (0.5, 0.8), shortest=10)(np.full(2000, 200), chance(2000))[:, 0]
    kept = np.round((positions[:, -1] - positions[:, 0]) * 64 / 63)
    assert 98 <= kept.min() < 105
    assert 155 < kept.max() <= 162
    short = CropResize(16, (0.1, 0.2), shortest=10)(np.full(50, 8), chance(50))[:, 0]
    np.testing.assert_array_equal(short, np.repeat(short[:1], 50, axis=0))  # all 8 frames
    assert short[0, 0] == 0
    assert short[0, -1] == 7


def test_parts_of_a_clip_from_their_first_to_their_last_frame():
    rule = ResizedParts(5, ((1.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.5, 1.0), (0.01, 1.0)))
    assert rule(np.array([9, 1]))[0].tolist() == [
        [0, 2, 4, 6, 8], [0, 0.875, 1.75, 2.625, 3.5], [2.25, 3.125, 4, 4.875, 5.75],
        [4.5, 5.375, 6.25, 7.125, 8], [8] * 5]
    assert (rule(np.array([9, 1, 0]))[1] == 0).all()  # one frame stands still
    assert (rule(np.array([9, 1, 0]))[2] == -1).all()


def test_an_instant_is_six_frames_at_most_and_anywhere():
    positions = Instants(20)(np.full(600, 50), chance(600))[:, 0]
    span = positions[:, -1] - positions[:, 0]
    assert span.min() >= 0
    assert 4.5 < span.max() <= 5
    assert positions.min() < 2
    assert positions.max() > 47
    assert np.ptp(np.diff(positions, axis=1), axis=1).max() < 1e-9  # even steps in time
    assert (Instants(20)(np.ones(5, int), chance(5)) == 0).all()


def test_crops_of_a_clip_lie_anywhere():
    """What the training loop draws: from the shortest share to all of the clip."""
    positions = CropResize(20, (0.4, 1.0), shortest=2)(np.full(2000, 100), chance(2000))[:, 0]
    kept = np.round((positions[:, -1] - positions[:, 0]) * 20 / 19)
    assert 39 <= kept.min() < 43
    assert kept.max() > 97
    short = kept < 60
    assert positions[short].min() < 3
    assert positions[short].max() > 96
    assert (CropResize(4, (0.1, 0.1), shortest=2)(np.full(50, 6), chance(50)) >= 0).all()


@pytest.mark.shared
@pytest.mark.parametrize("length", [30, 100, 137, 420])
def test_the_published_test_views(shared, length):
    with np.load(shared / "reference" / "pyskl_transforms.npz") as file:
        expected = file[f"uniform_test_{length}"].reshape(10, 100)
    views = PysklTestClips()(np.array([5, length, 0, length]))
    np.testing.assert_array_equal(views[1], expected)
    np.testing.assert_array_equal(views[3], expected)


def test_pairs_of_neighbouring_frames():
    rule = ConsecutiveFrames(4, where="first", short="zero")
    pairs = FramePairs(rule)(np.array([9, 3, 0]), None)[:, 0]
    assert pairs.tolist() == [[0, 1, 2, 3, 1, 2, 3, 4], [0, 1, 2, -1, 1, 2, -1, -1], [-1] * 8]
    resized = FramePairs(CropResize(4, (1, 1), random=False))(np.array([8]), None)[0, 0]
    assert resized.tolist() == [0.5, 2.5, 4.5, 6.5, 1.5, 3.5, 5.5, -1]


def test_what_makes_no_sense_is_refused():
    for rule, fields in [
        (UniformSegments, {"frames": 0}), (UniformSegments, {"crop": 0}),
        (UniformSegments, {"short": "zero"}), (PysklTestClips, {"clips": 0}),
        (ConsecutiveFrames, {"step": 0}), (ConsecutiveFrames, {"where": "last"}),
        (ConsecutiveFrames, {"short": "stretch"}), (CropResize, {"crop": (0.5, 1.5)}),
        (CropResize, {"crop": (0.9, 0.5)}), (CropResize, {"crop": (0.5,)}),
        (ResizedParts, {"frames": 0}), (ResizedParts, {"parts": ((1.1, 0.0),)}),
        (ResizedParts, {"parts": ()}), (ResizedParts, {"parts": ((0.5, 1.5),)}),
        (Instants, {"frames": 0}),
    ]:
        with pytest.raises(ChoiceError):
            rule(**fields)
