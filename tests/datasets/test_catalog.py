"""What is said about getting a data set can be done."""

import shlex

import pytest

from skelact.cli import data
from skelact.datasets.catalog import CATALOG, how_to_get
from skelact.datasets.protocols import PROTOCOLS
from skelact.datasets.video_sets import VIDEO_SETS
from skelact.errors import ChoiceError


def test_every_data_set_with_protocols_or_annotations_is_in_the_catalog():
    assert set(CATALOG) == set(PROTOCOLS) | set(VIDEO_SETS)


@pytest.mark.parametrize("name", CATALOG)
def test_the_command_is_one_that_skelact_understands(name):
    words = shlex.split(how_to_get(name, "/my/data").partition("Then: ")[2])
    assert words[:3] == ["skelact", "data", "prepare"]
    options = data._prepare_parser().parse_args(words[3:])
    assert options.name == name
    assert (options.raw is None) == (name in VIDEO_SETS)
    assert "/my/data" in (options.raw or options.videos)


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(ChoiceError, match="a data set to be one of ntu60, ntu120"):
        how_to_get("ntu_60")
