"""Tube masks: the same places in all frames, nine of ten."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skelact.errors import ChoiceError
from skelact.rgb.masking import tube_mask


def test_the_mask_of_videomae():
    mask = tube_mask(3, 8, 196, generator=torch.Generator().manual_seed(0))
    frames = mask.view(3, 8, 196)
    assert (frames == frames[:, :1]).all()
    assert frames.sum(dim=2).unique().tolist() == [176]  # of 196, as its authors round
    assert not torch.equal(frames[0], frames[1])
    again = tube_mask(3, 8, 196, generator=torch.Generator().manual_seed(0))
    assert torch.equal(mask, again)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(2, 60), st.floats(0.05, 0.95))
def test_share_and_tubes(batch, frames, places, share):
    if not 1 <= int(share * places + 1e-9) < places:
        with pytest.raises(ChoiceError, match="hides some"):
            tube_mask(batch, frames, places, share)
        return
    mask = tube_mask(batch, frames, places, share).view(batch, frames, places)
    assert (mask == mask[:, :1]).all()
    assert abs(mask.float().mean().item() - share) <= 1 / places


def test_every_place_is_hidden_equally_often():
    mask = tube_mask(4000, 1, 10, generator=torch.Generator().manual_seed(0))
    assert (mask.float().mean(dim=0) - 0.9).abs().max() < 0.03


def test_a_share_of_nine_tenths_is_whole_where_it_can_be():
    assert tube_mask(1, 1, 10, 0.9).sum() == 9
    assert tube_mask(1, 1, 10, 0.7).sum() == 7
    for share in (0.0, 1.0, 1.5, -0.1):
        with pytest.raises(ChoiceError, match="hides some"):
            tube_mask(1, 1, 10, share)
