"""One-shot NTU RGB+D 120 on a few made-up clips with its names."""

import json
from dataclasses import replace

import pytest
from kicks import KICKS, kicking, quick, write_kicks
from stores import write_store

from skelact.datasets.store import Store
from skelact.errors import ChoiceError, SkelactError
from skelact.experiments.one_shot import run_one_shot

ACTIONS = {1: KICKS[0], 7: KICKS[1], 2: KICKS[0], 3: KICKS[1]}
"""A1 and A7 are novel, A2 and A3 auxiliary."""


def clips(actions=ACTIONS):
    for action, motion in actions.items():
        for person in (8, 1, 2, 3):
            yield kicking(motion, 10 * action + person, "ntu25", subject=person,
                          clip_id=f"S001C003P{person:03}R001A{action:03}", label=f"A{action}")


def test_novel_clips_are_named_after_the_published_exemplar(tmp_path):
    store = write_store(tmp_path / "ntu", clips(), "ntu120")
    found = run_one_shot(store.folder, tmp_path / "out", quick(), seeds=1)
    assert found.classes == (2, 2)
    assert found.auxiliary.count == 2  # one person of four is held out
    novel = found.novel["cosine"]
    assert novel.count == 6  # person 8 gives the exemplars
    assert novel.accuracy.value > 0.8
    learned = Store(tmp_path / "out" / "stores" / "auxiliary")
    assert learned.header.classes == ("A2", "A3")
    assert "nearest exemplar" in (tmp_path / "out" / "one_shot.md").read_text()
    content = json.loads((tmp_path / "out" / "one_shot.json").read_text())
    assert content["novel"]["cosine"]["count"] == 6


def test_what_is_refused(tmp_path):
    other = write_kicks(tmp_path / "other", "other", clips=8)
    with pytest.raises(ChoiceError, match=r"store of ntu120 .* got 'other'; --few-shot 1"):
        run_one_shot(other.folder, tmp_path / "out", quick())
    few = write_store(tmp_path / "few", clips({1: KICKS[0], 2: KICKS[0], 3: KICKS[1]}), "ntu120")
    with pytest.raises(SkelactError, match="at least two novel classes"):
        run_one_shot(few.folder, tmp_path / "out", replace(quick(), seed=1))
