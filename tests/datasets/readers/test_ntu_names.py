"""What the names of NTU RGB+D say."""

import pytest

from skelact.datasets.readers.ntu_classes import NTU120_CLASSES
from skelact.datasets.readers.ntu_names import is_ntu_name, known_names, ntu_facts, ntu_numbers

NAME = "S001C002P003R004A013"


@pytest.mark.parametrize(("name", "good"), [
    ("S001C001P001R001A001", True), ("S032C003P106R002A120", True), ("S001C001P001R001A121", False),
    ("S001C001P001R001A000", False), ("S001C001P001R001A001_rgb", False), ("walk", False)])
def test_names_of_samples(name, good):
    assert is_ntu_name(name) == good


@pytest.mark.parametrize("end", ["", "_rgb", ".skeleton"])
def test_numbers_of_a_name(end):
    facts = {"setup": 1, "camera": 2, "subject": 3, "repetition": 4}
    assert ntu_facts(NAME + end) == facts
    assert ntu_numbers(NAME + end) == facts | {"action": 13}
    assert ntu_facts("walk") == ntu_numbers("walk") == {}


def test_class_names_are_known_where_the_class_is_that_of_the_name():
    assert known_names(NAME, 12) == NTU120_CLASSES
    assert known_names(NAME, 13) is None
    assert known_names("walk", 12) is None
    assert known_names("S001C002P003R004A121", 120) is None
