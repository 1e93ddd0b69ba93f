"""Label maps: explicit, complete, and clear about what is wrong."""

import subprocess
import sys

import numpy as np
import pytest

from skelact.datasets.readers import msr_action3d, nw_ucla, precog16, utd_mhad
from skelact.datasets.readers.ntu_classes import NTU120_CLASSES, PKU_MMD_CLASSES
from skelact.errors import ChoiceError, FileFormatError, ShapeError
from skelact.evaluation.label_map import LabelMap, load_label_map

PENN = ("baseball_pitch", "baseball_swing", "bench_press", "bowl", "clean_and_jerk", "golf_swing",
        "jump_rope", "jumping_jacks", "pullup", "pushup", "situp", "squat", "strum_guitar",
        "tennis_forehand", "tennis_serve")
OWN = {"utd_mhad": utd_mhad.CLASSES, "msr_action3d": msr_action3d.CLASSES, "penn_action": PENN,
       "nw_ucla": tuple(nw_ucla.CLASSES.values()), "precog16": precog16.CLASSES,
       "ntu60": NTU120_CLASSES[:60], "ntu120": NTU120_CLASSES, "pku_mmd": PKU_MMD_CLASSES}
SMALL = """
classes:
  wave: {a: [wave_left, wave_right], b: [waving]}
  jump: {a: [jump], b: [hop]}
  nod: {a: [nod], c: [nod]}
unshared:
  b: [sleep]
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    return load_label_map(tmp_path / "small.yaml")


def test_the_map_that_ships_knows_every_class_of_every_set_and_no_other():
    shipped = load_label_map()
    assert set(shipped.datasets) == set(OWN)
    for dataset, classes in OWN.items():
        named = [*shipped.sources[dataset], *shipped.unshared[dataset]]
        assert sorted(named) == sorted(classes)
    for shared in shipped.classes:
        assert sum(bool(shipped.shared_with(dataset, shared)) for dataset in OWN) > 1, shared


def test_utd_and_msr_share_eleven_actions():
    pair = load_label_map().between("utd_mhad", "msr_action3d")
    assert len(pair.classes) == 11
    assert pair.shared_with("utd_mhad", "draw_circle") == ("draw_circle_clockwise",
                                                           "draw_circle_counterclockwise")
    assert "two_hand_wave" in pair.unshared["msr_action3d"]
    assert load_label_map().between("ntu60", "pku_mmd").classes[-1] == "shake_hands"


def test_relabel(small):
    own = ["jump", "nod", "wave_left", "wave_right"]
    labels = small.relabel("a", own, np.array([0, 1, 2, 3, -1]))
    assert labels.tolist() == [1, 2, 0, 0, -1]
    pair = small.between("a", "b")
    assert pair.classes == ("wave", "jump")
    assert pair.relabel("a", ["nod", "jump"], np.array([0, 1])).tolist() == [-1, 1]
    assert pair.relabel("b", ["sleep", "hop"], np.array([1, 0])).tolist() == [1, -1]
    assert small.relabel("b", ["hop"], np.empty(0, np.int64)).shape == (0,)
    with pytest.raises(ShapeError, match="from -1 to 0"):
        small.relabel("b", ["hop"], np.array([1]))


def test_classes_that_a_part_of_a_data_set_lacks_are_not_shared(small):
    part = small.restrict("b", ["waving", "sleep"])
    assert part.classes == ("wave", "jump", "nod")  # a has them all
    assert part.shared_with("b", "jump") == ()
    with pytest.raises(ChoiceError, match="share one class"):
        part.between("a", "b")
    assert small.restrict("a", ["jump"]).classes == ("wave", "jump", "nod")
    assert small.restrict("a", ["jump"]).restrict("b", ["hop"]).classes == ("jump", "nod")
    with pytest.raises(ChoiceError, match="says nothing about 1 of 1 classes of b: hopp"):
        small.restrict("b", ["hopp"])


@pytest.mark.parametrize(("call", "words"), [
    (lambda m: m.relabel("a", ["jmup"], [0]), ["jmup", "did you mean 'jump'", "unshared: a"]),
    (lambda m: m.relabel("d", ["jump"], [0]), ["does not know the data set 'd'", "a, b, c",
                                                 "--label-map FILE.yaml"]),
    (lambda m: m.between("b", "c"), ["share no class"]),
    (lambda m: m.between("a", "c"), ["share one class", "nod"]),
    (lambda m: m.between(), ["expected names"]),
    (lambda m: load_label_map("actoins"), ["actoins", "did you mean 'actions'"]),
    (lambda m: load_label_map("nowhere.yaml"), ["nowhere.yaml"]),
    (lambda m: LabelMap(("wave",), {"a": {"x": "wvae"}}), ["wvae", "did you mean 'wave'"]),
    (lambda m: LabelMap(("wave",), {"a": {"x": "wave"}}, {"a": {"x"}}), ["shared and as"]),
    (lambda m: LabelMap(("wave", "wave"), {}), ["twice"]),
    (lambda m: LabelMap(("wave", "nod"), {"a": {"x": "wave"}}), ["no class", "'nod'", "leave"]),
])
def test_mistakes_are_named(small, call, words):
    with pytest.raises(ChoiceError) as error:
        call(small)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(("text", "kind", "words"), [
    ("classes: {x: {a: [k]}, y: {a: [k]}}", ChoiceError, "both 'x' and 'y'"),
    ("classes: {x: {a: [k, k]}}", ChoiceError, "'k' stands twice"),
    ("classes:\n  x: {a: [k]}\n  x: {b: [k]}", FileFormatError, "declared twice: x"),
    ("classes: {x: {a: [k]}, y: {}}", ChoiceError, "no class of any data set .*'y'"),
    ("classes: {x: {a: k}}", FileFormatError, "list of class names"),
    ("classes: {x: {a: [yes]}}", FileFormatError, "quote"),
    ("classes: [x]", FileFormatError, "a table"),
    ("clases: {}", FileFormatError, "got clases"),
    ("- x", FileFormatError, "no label map"),
    ("classes: {", FileFormatError, "cannot read"),
    ("classes: {x: {a: [k]}}\nunshared: {a: [k]}", ChoiceError, "keep one"),
])
def test_broken_files(tmp_path, text, kind, words):
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(kind, match=words):
        load_label_map(tmp_path / "m.yaml")


def test_the_map_is_found_from_any_folder(tmp_path):
    code = "from skelact.evaluation.label_map import load_label_map as l; print(len(l().classes))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, check=True)
    assert int(done.stdout) == len(load_label_map().classes)
