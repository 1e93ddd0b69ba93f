"""A slice of the campaign under ``benchmarks``: damaged pickles and pickles that attack."""

import pickle
from collections import Counter
from pathlib import Path

import pytest

from skelact.datasets.untrusted.plain_pickle import parse_pickle
from skelact.datasets.untrusted.pyskl_annotations import clips_of, read_annotations
from skelact.datasets.untrusted.sandbox import read_in_child
from skelact.errors import FileFormatError


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "benchmarks")


def test_a_thousand_damaged_pickles():
    from pickle_mutations import campaign

    outcomes = campaign(first=500_000, cases=1000)
    assert outcomes["file refused"] + outcomes["file read"] == 1000
    assert outcomes["file refused"] > 500
    assert outcomes["- clips read as recordings"] > 50
    assert not [outcome for outcome in outcomes if "BUG" in outcome or "died" in outcome]


def test_no_attack_runs(tmp_path):
    from pickle_gadgets import code_gadgets

    canary = tmp_path / "canary"
    attacks = code_gadgets(canary)
    refused = Counter()
    for content in attacks.values():
        with pytest.raises(FileFormatError) as error:
            parse_pickle(content)
        refused["calls for" in str(error.value) or "makes objects" in str(error.value)] += 1
        assert not canary.exists()
    assert refused == {True: len(attacks)}
    pickle.loads(attacks["builtins.open"])  # the canary does sing
    assert canary.exists()


def test_bombs_do_no_harm():
    from pickle_gadgets import bombs

    for name, content in bombs().items():
        if len(content) > 2**20:
            continue  # the slow ones: benchmarks/pickle_mutations.py --gadgets
        try:
            clips = [arrays for _, arrays in clips_of(parse_pickle(content)) if arrays]
        except FileFormatError:
            clips = []
        assert not clips or name == "array in a thousand clips"


def test_a_file_that_uses_one_array_again_and_again_ends(tmp_path):
    from pickle_gadgets import bombs

    (tmp_path / "bomb.pkl").write_bytes(bombs()["array in a thousand clips"])
    with pytest.raises(FileFormatError, match="again and again"):
        list(read_in_child(read_annotations, tmp_path / "bomb.pkl"))
