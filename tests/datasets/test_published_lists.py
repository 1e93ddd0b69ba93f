"""Protocols of data sets as lists of clips."""

import logging

from skelact.datasets.published_lists import published_lists


def columns(**numbers) -> dict:
    count = len(next(iter(numbers.values())))
    return {"clip_id": [f"c{i}" for i in range(count)], "splits": [()] * count,
            "label": [0] * count} | numbers


def test_a_rule_makes_lists_with_the_held_out_clips_in_train():
    lists = published_lists(columns(camera=[1, 2, 3, 1], subject=[1, 2, 3, 4]), "nw_ucla")
    assert lists == [["xview_train"], ["xview_train"], ["xview_val"], ["xview_train"]]


def test_own_lists_stay_and_restrict():
    facts = columns(subject=[1, 2, 3, 4, 5]) | {"splits": [("used",), ("used",), (), (), ("used",)]}
    assert published_lists(facts, "msr_action3d") == [
        ["used", "xsub_train"], ["used", "xsub_val"], [], [], ["used", "xsub_train"]]
    facts = columns(subject=[1, 2]) | {"splits": [("xsub_train",), ("xsub_train",)]}
    assert published_lists(facts, "utd_mhad") == [["xsub_train"], ["xsub_train"]]


def test_a_single_part_of_a_protocol():
    assert published_lists(columns(camera=[3, 3]), "nw_ucla") == [["xview_val"]] * 2


def test_what_cannot_be_told_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        assert published_lists(columns(camera=[-1, 3]), "nw_ucla") == [[], []]
    assert "needs the camera of every clip" in caplog.text
    assert published_lists(columns(camera=[1, 3]), "mine") == [[], []]
