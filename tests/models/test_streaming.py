"""Streaming: frame by frame, the scores of the same weights on the whole clip without padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from weights import shake

from skelact.errors import ChoiceError, ShapeError
from skelact.models import ctrgcn, dgstgcn, stgcn, stgcnpp
from skelact.models.classifier import SkeletonClassifier
from skelact.models.inference import for_inference
from skelact.models.published import load_published
from skelact.models.streaming import StreamingClassifier, streaming
from skelact.models.unpadded import receptive_field, unpadded

ROWS = ((1, 1), (2, 2), (2, 1))


def build(function=stgcnpp, **arguments) -> SkeletonClassifier:
    torch.manual_seed(0)
    small = {"base_channels": 6} if function is stgcn else {"base_channels": 6, "rows": ROWS}
    network = function("penn13", 4, **small | arguments)
    shake(network)
    return network.double().eval()


def clip_of(frames: int, people: int = 3, channels: int = 3) -> torch.Tensor:
    """``[M, N, C, T]``."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(people, 13, channels, frames, generator=generator, dtype=torch.float64)


def run(stream: StreamingClassifier, clip: torch.Tensor) -> list[torch.Tensor | None]:
    return [stream.step(frame) for frame in clip.permute(3, 0, 1, 2)]


def seen_at(stream: StreamingClassifier, time: int) -> slice:
    """The frames of the clip that frame ``time`` is answered for."""
    if stream.window is None:
        return slice(0, time + 1)
    answer = time - (time - stream.delay) % stream.stride
    return slice(max(0, answer - stream.window + 1), time + 1)


def check(network: SkeletonClassifier, clip: torch.Tensor, window: int | None, every: int) -> None:
    """Streaming against the clip network."""
    stream, reference = streaming(network, window), unpadded(network)
    scores = run(stream, clip)
    for time, score in enumerate(scores):
        if time < stream.delay:
            assert score is None
        elif time % every == 0 or time == len(scores) - 1:
            with torch.no_grad():
                expected = reference(clip[None, ..., seen_at(stream, time)])[0]
            torch.testing.assert_close(score, expected, atol=1e-10, rtol=1e-10)


@settings(max_examples=10)
@given(st.data())
def test_it_equals_the_clip_network_whatever_the_network_and_whoever_comes_and_goes(data):
    draw = data.draw
    strides = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    network = build(
        stgcnpp, in_channels=draw(st.integers(1, 4)), base_channels=draw(st.sampled_from([1, 8])),
        kernel_size=draw(st.sampled_from([1, 3])), absent=draw(st.sampled_from(["skip", "zeros"])),
        norm_slots=draw(st.sampled_from([0, 3])),
        rows=[(1 + i % 2, stride) for i, stride in enumerate(strides)])
    frames = receptive_field(network)
    window = draw(st.one_of(st.none(), st.integers(frames, frames + 20)))
    clip = clip_of(frames + draw(st.integers(0, 45)), draw(st.integers(0, 3)), network.in_channels)
    for person in clip:
        first, last = sorted(draw(st.tuples(*[st.integers(0, clip.shape[3])] * 2)))
        person[..., :first] = 0
        person[..., last:] = 0
    check(network, clip, window, every=7)


@pytest.mark.parametrize("window", [None, 50])
@pytest.mark.parametrize("arguments", [
    {"kernel_size": 3}, {"kernel_size": 1}, {"partition": "distance", "edge_importance": False,
                                             "kernel_size": 3, "absent": "zeros"},
])
def test_st_gcn_equals_the_clip_network(arguments, window):
    clip = clip_of(75)
    clip[0, ..., :20] = 0
    clip[1, ..., 12:] = 0
    clip[2] = 0
    check(build(stgcn, **arguments), clip, window, every=4)


def test_ctr_gcn_equals_the_clip_network_whose_topology_knows_the_frames_so_far():
    for arguments in ({}, {"temporal_relu": False, "norm_slots": 2, "absent": "zeros"}):
        network = build(ctrgcn, **arguments)
        clip = clip_of(60, people=2)
        clip[1, ..., 40:] = 0
        check(network, clip, None, every=7)
        stream, reference = streaming(network, 47), unpadded(network, 47)
        assert stream.window == 47
        scores = run(stream, clip)
        with torch.no_grad():
            for time in range(46, 60):
                features = reference.features(clip[None, ..., : time + 1])[0, ..., -8:]
                expected = reference.head(features.mean(dim=(0, 1, 3)))
                torch.testing.assert_close(scores[time], expected, atol=1e-10, rtol=1e-10)


def test_the_means_of_ctr_gcn_forget_what_is_before_the_window():
    network, clip = build(ctrgcn), clip_of(260, people=1)
    clip[..., :10] = 0
    clip[..., 30:] = 0
    clip[..., 255:] = 1
    fresh, stream = streaming(network, 33), streaming(network, 33)
    late = run(stream, clip)[-1]
    clip[..., :250] = 0
    torch.testing.assert_close(late, run(fresh, clip)[-1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_works_in_the_arithmetic_of_the_network(dtype):
    network, clip = build().float(), clip_of(40).float()
    with torch.no_grad():
        expected = unpadded(network)(clip[None])[0]
    score = run(streaming(network.to(dtype)), clip)[-1]
    assert score.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 0.05
    assert (score - expected).norm() < tolerance * expected.norm()


@pytest.mark.shared
def test_published_weights_give_the_same_in_both_forms(shared):
    network = load_published(shared / "weights" / "stgcnpp_hand_gestures_pyskl.pth", "hand21")
    generator = torch.Generator().manual_seed(0)
    clip = torch.randn(1, 21, network.in_channels, 165, generator=generator)
    network.eval()
    scores = run(streaming(network), clip)
    with torch.no_grad():
        for time in (152, 164):
            expected = unpadded(network)(clip[None, ..., : time + 1])[0]
            assert (scores[time] - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("function", [stgcn, stgcnpp, ctrgcn])
def test_the_published_networks_look_back_153_frames_and_answer_every_fourth(function):
    stream = streaming(function("ntu25", 2, base_channels=4))
    assert (stream.receptive_field, stream.delay, stream.stride) == (153, 152, 4)
    assert stream.window is None
    windows = [streaming(function("ntu25", 2, base_channels=4), w).window for w in (153, 160, 161)]
    assert windows == [153, 157, 161]


def test_between_answers_the_scores_stay_unless_somebody_enters():
    stream, clip = streaming(build()), clip_of(44)
    clip[0, ..., :40] = 0
    scores = run(stream, clip)
    changes = [time for time in range(33, 44) if not torch.equal(scores[time], scores[time - 1])]
    assert changes == [34, 36, 38, 40, 42]
    clip[0, ..., :41] = 0
    stream.reset()
    scores = run(stream, clip)
    assert not torch.equal(scores[41], scores[40])


@pytest.mark.parametrize("window", [None, 45])
@pytest.mark.parametrize(("function", "at"), [(stgcnpp, 0), (stgcnpp, 17), (stgcnpp, 50),
                                              (ctrgcn, 50)])
def test_a_saved_stream_goes_on_to_the_last_bit(function, at, window, tmp_path):
    network, clip = build(function).float(), clip_of(64).float()
    clip[0, ..., :15] = 0
    clip[1, ..., :52] = 0
    stream, other = streaming(network, window), streaming(network, window)
    run(stream, clip[..., :at])
    torch.save(stream.state(), tmp_path / "stream.pt")
    expected = run(stream, clip[..., at:])
    run(other, clip_of(5, people=1).float())  # what it saw is gone
    other.restore(torch.load(tmp_path / "stream.pt", weights_only=True))
    for score, wanted in zip(run(other, clip[..., at:]), expected, strict=True):
        assert score is wanted is None or torch.equal(score, wanted)


def test_a_stream_begins_anew():
    stream, clip = streaming(build()), clip_of(40)
    expected = run(stream, clip)
    stream.reset()
    assert run(stream, clip[:2])[:32] == [None] * 32  # another number of persons, too
    stream.reset()
    assert torch.equal(run(stream, clip)[-1], expected[-1])


@pytest.mark.parametrize("window", [None, 39])
@pytest.mark.parametrize("slots", [0, 3])
def test_a_person_is_forgotten_as_if_they_had_been_zeros(slots, window):
    network, clip = build(norm_slots=slots), clip_of(60)
    stream, reference = streaming(network, window), unpadded(network)
    run(stream, clip[..., :45])
    stream.reset(person=1)
    scores = run(stream, clip[..., 45:])
    clip[1, ..., :45] = 0
    with torch.no_grad():
        for time in (45, 53, 59):
            expected = reference(clip[None, ..., seen_at(stream, time)])[0]
            torch.testing.assert_close(scores[time - 45], expected)


def test_who_is_absent_costs_nothing():
    network = build()

    def multiply_adds(clip: torch.Tensor) -> int:
        stream = streaming(network)
        run(stream, clip[..., :-2])
        with FlopCounterMode(display=False) as counter:
            run(stream, clip[..., -2:])
        return counter.get_total_flops()

    alone, with_absent, left = clip_of(70, people=1), clip_of(70), clip_of(70)
    with_absent[1:] = 0
    left[1:, ..., 30:] = 0
    head = 2 * network.head.weight.numel()
    assert multiply_adds(alone) == multiply_adds(with_absent) == multiply_adds(left)
    assert multiply_adds(clip_of(70)) - 2 * head == 3 * (multiply_adds(alone) - 2 * head)


def test_a_frame_takes_a_hundredth_of_the_products_of_a_clip():
    for function in (stgcn, stgcnpp):
        network = function("ntu25", 60, base_channels=8)
        stream = streaming(network)
        run(stream, torch.ones(2, 25, 3, 160))
        with FlopCounterMode(display=False) as frames:
            run(stream, torch.ones(2, 25, 3, 4))
        with FlopCounterMode(display=False) as clip:
            network.layers.to("meta")(torch.empty(2, 25, 3, 300, device="meta"))
        assert clip.get_total_flops() > 100 * frames.get_total_flops() / 4


def test_nobody_is_scored_by_the_bias():
    network = build()
    for clip in (clip_of(40) * 0, clip_of(40, people=0)):
        assert torch.equal(run(streaming(network), clip)[-1], network.head.bias)


def test_the_weights_are_those_at_the_time_and_the_network_stays():
    network, clip = build().train(), clip_of(40)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    stream, again = streaming(network), streaming(unpadded(network))
    expected = run(stream, clip)[-1]
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    shake(network)
    stream.reset()
    assert torch.equal(run(stream, clip)[-1], expected)
    assert torch.equal(run(again, clip)[-1], expected)
    assert (run(streaming(network), clip)[-1] - expected).abs().max() > 1e-3


def test_arrays_will_do():
    stream, clip = streaming(build()), clip_of(34)
    expected = run(stream, clip)[-1]
    stream.reset()
    assert torch.equal([stream.step(frame) for frame in clip.permute(3, 0, 1, 2).numpy()][-1],
                       expected)


def test_what_does_not_fit_is_refused_and_leaves_the_stream_as_it_was():
    network = build(norm_slots=3)
    stream, clip = streaming(network), clip_of(40)
    with pytest.raises(ChoiceError, match="slot of a person"):
        stream.reset(person=0)
    with pytest.raises(ShapeError, match=r"at most 3 persons.*got 4"):
        stream.step(clip_of(1, people=4)[..., 0])
    run(stream, clip[..., :35])
    with pytest.raises(ShapeError, match=r"'penn13' \[M, 13, 3\], got \[3, 17, 3\]"):
        stream.step(torch.zeros(3, 17, 3))
    with pytest.raises(ShapeError, match="3 persons, as the first one had, got 2"):
        stream.step(clip[:2, ..., 0])
    with pytest.raises(ChoiceError, match="finite"):
        stream.step(clip[..., 0] * torch.nan)
    with pytest.raises(ChoiceError, match=r"in 0\.\.2, got 3"):
        stream.reset(person=3)
    for state in (streaming(network, 40).state(), streaming(build(base_channels=8)).state(), {}):
        with pytest.raises(ShapeError, match="the same network with window None"):
            stream.restore(state)
    expected = run(streaming(network), clip)[-1]
    assert torch.equal(run(stream, clip[..., 35:])[-1], expected)


def test_networks_that_cannot_be_streamed_are_refused():
    with pytest.raises(ChoiceError, match=r"STGCN, STGCNPP, CTRGCN.*got DGSTGCN"):
        streaming(build(dgstgcn, base_channels=12))
    with pytest.raises(ChoiceError, match=r"at least 33 frames.*got 32"):
        streaming(build(), window=32)
    with pytest.raises(ChoiceError, match="as it was trained, got InferenceClassifier"):
        streaming(for_inference(build()))


def test_a_state_of_other_weights_is_refused():
    network, other = build(), build()
    shake(other)
    stream = streaming(network)
    with pytest.raises(ShapeError, match="of other weights"):
        stream.restore(streaming(other).state())
    stream.restore(streaming(build()).state())


def test_a_window_is_a_number_of_frames():
    with pytest.raises(ChoiceError, match=r"number of frames or None, got 60\.0"):
        streaming(build(), window=60.0)
