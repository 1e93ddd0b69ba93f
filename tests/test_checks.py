"""Checks at the door."""

import numpy as np
import pytest
from locks import lock

from skelact.checks import check_choice, check_readable, check_shape
from skelact.errors import ChoiceError, FileFormatError, ShapeError, SkelactError


def test_a_choice_is_given_back_or_refused_with_the_choices():
    assert check_choice("b", ["a", "b"], "letter") == "b"
    assert check_choice(2, (n for n in (1, 2)), "number") == 2
    with pytest.raises(ChoiceError, match=r"expected letter to be one of a, b; got 'c'"):
        check_choice("c", ["a", "b"], "letter")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((17, 3, 9), (17, 3, "T")),
        ((17, 3, 9), ("N", None, 9)),
        ((17, 3, 9), ("...", 3, "T")),
        ((3, 9), ("...", 3, "T")),
        ((), ()),
        ((5, 4), ("...",)),
    ],
)
def test_a_fitting_shape_is_given_back(shape, expected):
    array = np.zeros(shape)
    assert check_shape(array, expected, "joints") is array


@pytest.mark.parametrize(
    ("shape", "expected", "message"),
    [
        ((17, 2, 9), (17, 3, "T"), r"expected joints \[17, 3, T\], got \[17, 2, 9\]"),
        ((17, 3), (17, 3, "T"), r"got \[17, 3\]"),
        ((2, 17, 3, 9), (17, 3, None), r"\[17, 3, any\], got \[2, 17, 3, 9\]"),
        ((9,), ("...", 3, "T"), r"\[..., 3, T\], got \[9\]"),
        ((2, 4, 9), ("...", 3, "T"), r"got \[2, 4, 9\]"),
    ],
)
def test_another_shape_is_refused_with_both(shape, expected, message):
    with pytest.raises(ShapeError, match=message):
        check_shape(np.zeros(shape), expected, "joints")


def test_errors_are_also_what_python_calls_them():
    for error in (ChoiceError, ShapeError):
        assert issubclass(error, SkelactError)
        assert issubclass(error, ValueError)


def test_what_may_not_be_read_is_named(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    file = inner / "c.txt"
    file.write_text("text")
    for path in (tmp_path, inner, file, tmp_path / "nowhere"):
        check_readable(path, below=True)
    with lock(file), pytest.raises(FileFormatError, match=r"no permission to read .*c\.txt"):
        check_readable(file)
    with lock(inner):
        check_readable(tmp_path)
        for path, below in ((inner, False), (file, False), (tmp_path, True)):
            with pytest.raises(FileFormatError, match=r"no permission to read .*b"):
                check_readable(path, below)
