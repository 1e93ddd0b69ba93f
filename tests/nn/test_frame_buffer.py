"""What is kept of the last frames: their order, when there is an answer, whose they are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelact.nn.frame_buffer import FrameBuffer


def frame(number: float, people: int = 1) -> torch.Tensor:
    return torch.full((people, 2, 3), float(number))


def begin(span: int, stride: int = 1, people: int = 1) -> FrameBuffer:
    buffer = FrameBuffer(span, stride)
    assert buffer.push(frame(-1))
    assert buffer.window().shape == (1, 2, span, 3)
    buffer.clear()
    buffer.take(torch.zeros(people, dtype=torch.long))
    return buffer


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 60))
def test_the_window_is_the_last_frames_and_answers_keep_the_stride(span, stride, frames):
    buffer = begin(span, stride)
    answered = [t for t in range(frames) if buffer.push(frame(t))]
    assert answered == list(range(span - 1, frames, stride))
    if frames >= span:
        assert buffer.window()[0, 0, :, 0].tolist() == list(range(frames - span, frames))


def test_the_frames_under_a_kernel_are_rows_of_a_product_without_a_copy():
    buffer = begin(4, people=2)
    for t in range(23):
        buffer.push(frame(t, 2))
        window = buffer.window()
        assert window.flatten(0, 1).flatten(1).data_ptr() == window.data_ptr()


def test_who_is_taken_in_later_has_been_at_rest():
    buffer = begin(3, people=2)
    for t in range(10):
        buffer.push(torch.stack([frame(t)[0], frame(100 + t)[0]]))
    buffer.take(torch.tensor([1, 2]))
    assert buffer.window()[:, 0, :, 0].tolist() == [[107, 108, 109], [-1, -1, -1]]
    buffer.push(torch.stack([frame(110)[0], frame(0)[0]]))
    assert buffer.window()[:, 0, :, 0].tolist() == [[108, 109, 110], [-1, -1, 0]]


@pytest.mark.parametrize("pushed", [0, 2, 7, 12])
def test_what_was_saved_is_not_touched_any_more(pushed):
    buffer, other = begin(4), begin(4)
    for t in range(pushed):
        buffer.push(frame(t))
    state = buffer.state()
    expected = []
    for t in range(pushed, pushed + 9):
        answered = buffer.push(frame(t))
        expected.append((answered, buffer.window().tolist()))
    other.restore(state)
    for t, (answered, window) in enumerate(expected, start=pushed):
        assert other.push(frame(t)) == answered
        assert other.window().tolist() == window
    again = begin(4)
    again.restore(state)
    assert torch.equal(again.frames, state["frames"])
