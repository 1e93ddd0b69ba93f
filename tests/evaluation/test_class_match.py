"""Classes are found by name, whatever their order; what is only alike is said, not guessed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skelact.evaluation.class_match import match_classes


def test_the_order_does_not_matter():
    match = match_classes(("walk", "run", "sit"), ("sit", "walk"))
    assert match.indices.tolist() == [2, 0]
    assert not match.respelled
    np.testing.assert_array_equal(match.relabel(np.array([1, 0, -1, 0])), [0, 2, -1, 2])


def test_another_spelling_is_the_same_class_and_is_told():
    match = match_classes(("sit_down", "push up", "wave"), ("Sit down", "push-up", "Wave!"))
    assert match.indices.tolist() == [0, 1, 2]
    assert match.respelled == {"Sit down": "sit_down", "push-up": "push up", "Wave!": "wave"}


def test_an_exact_name_comes_first_and_what_is_not_clear_stays_unknown():
    match = match_classes(("wave", "sit"), ("Wave", "wave"))
    assert match.indices.tolist() == [-1, 0]
    assert not match.respelled
    assert match_classes(("wave",), ("Wave", "WAVE")).indices.tolist() == [-1, -1]
    assert match_classes(("Wave", "WAVE"), ("wave",)).indices.tolist() == [-1]


def test_alike_names_are_hints_only():
    match = match_classes(("bowl", "jogging", "squat"), ("bowling", "jog", "knock"))
    assert match.indices.tolist() == [-1, -1, -1]
    assert match.similar == {"bowling": "bowl"}


def test_names_of_nothing_but_signs_and_of_other_alphabets():
    assert match_classes(("+", "-"), ("-", "*")).indices.tolist() == [1, -1]
    assert match_classes(("挥手", "鼓掌"), ("鼓掌", "挥手")).indices.tolist() == [1, 0]


@given(st.lists(st.sampled_from(["a", "A", "b", "B_", "b ", "c"]), unique=True),
       st.lists(st.sampled_from(["a", "A", "b", "B_", "b ", "c"]), unique=True))
def test_no_two_classes_become_one(known, names):
    match = match_classes(known, names)
    found = match.indices[match.indices >= 0]
    assert len(set(found.tolist())) == len(found)
    for name, index in zip(names, match.indices, strict=True):
        if name in known:
            assert known[index] == name
        assert (name in match.respelled) == (index >= 0 and name not in known)
