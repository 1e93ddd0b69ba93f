"""Numbers out of a text: what is read equals ``float()``, what is not usual is left to others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skelact.datasets.readers.decimals import leading_decimals

USUAL = st.from_regex(r"-?[0-9]{1,3}\.(0[0-9]{8}|[0-9]{0,8})", fullmatch=True)
ANYTHING = st.text("0123456789.-+eE naif", min_size=1, max_size=14).filter(str.strip)


def read(tokens: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, the text of each number, and whether it is usual."""
    text = "".join(f"{token} " for token in tokens) + 40 * " "
    starts = np.cumsum([0] + [len(token) + 1 for token in tokens])[:-1]
    values, ends, usual = leading_decimals(np.frombuffer(text.encode(), np.uint8), starts)
    return values, [text[a:b] for a, b in zip(starts, ends, strict=True)], usual


@given(st.lists(USUAL, min_size=1, max_size=8))
def test_usual_numbers_are_those_of_float(tokens):
    values, found, usual = read(tokens)
    assert usual.all()
    assert found == tokens
    expected = np.array([float(token) for token in tokens])
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(np.signbit(values), np.signbit(expected))


@given(st.lists(USUAL | ANYTHING, min_size=1, max_size=8))
def test_what_is_called_usual_is_the_number_that_stands_there(tokens):
    values, found, usual = read(tokens)
    for value, text, good in zip(values, found, usual, strict=True):
        if good:
            assert float(text) == value


@given(st.binary(max_size=60), st.lists(st.integers(0, 59), max_size=5))
def test_no_bytes_and_no_place_lead_out_of_the_text(text, starts):
    starts = np.array([start for start in starts if start < len(text)], np.int64)
    values, ends, usual = leading_decimals(np.frombuffer(text, np.uint8), starts)
    assert len(values) == len(ends) == len(usual) == len(starts)
    for start, end, value in zip(starts[usual], ends[usual], values[usual], strict=True):
        assert float(text[start:end]) == value


def test_other_forms_are_left_to_others():
    odd = ["1", ".5", "1234.5", "0.123456789", "12.3456789012345", "1e-05", "1.5E-05", "nan",
           "+1.5", "--1.5", "1.2.3", "1.5,"]
    _, _, usual = read(odd)
    assert not usual.any()
