from types import SimpleNamespace

import pytest

from skelact.errors import ChoiceError, MissingDependencyError, SkelactError, WeightsError
from skelact.pose.estimators import choice
from skelact.pose.estimators.choice import choose_estimator, decide_estimator

YOLO = ("ultralytics", "torchvision")


@pytest.fixture
def world(monkeypatch, tmp_path):
    """What is installed and which weights can be had, to be set by the test."""

    world = SimpleNamespace(installed={*YOLO, "mediapipe"}, asked=[],
                            weights=tmp_path / "yolo11n-pose.pt")

    def find_weights(weights=None, offline=False):
        world.asked.append((weights, offline))
        if world.weights is None:
            raise WeightsError("yolo11n-pose.pt is not on this machine and downloads are off")
        return world.weights

    world.weights.write_bytes(b"1")
    monkeypatch.setattr(choice, "find_spec", lambda name: name in world.installed or None)
    monkeypatch.setattr(choice, "find_weights", find_weights)
    return world


def test_auto_is_yolo_where_weights_can_be_had(world):
    decided = decide_estimator(device="cpu")
    assert (decided.name, decided.weights, decided.device) == ("yolo", world.weights, "cpu")
    assert decided.layout == "coco17"
    assert str(world.weights) in str(decided)


def test_auto_is_mediapipe_with_a_warning_where_yolo_has_no_weights(world):
    world.weights = None
    decided = decide_estimator(offline=True)
    assert (decided.name, decided.layout) == ("mediapipe", "mediapipe33")
    assert "ONE person only" in str(decided)
    assert "downloads are off" in str(decided)
    assert world.asked == [(None, True)]


@pytest.mark.parametrize("missing", YOLO)
def test_auto_is_mediapipe_where_yolo_is_not_installed(world, missing):
    world.installed = world.installed - {missing}
    decided = decide_estimator()
    assert decided.name == "mediapipe"
    assert "skelact[yolo]" in str(decided)
    assert world.asked == []


def test_nothing_installed_names_both_extras(world):
    world.installed = set()
    with pytest.raises(MissingDependencyError, match=r"skelact\[yolo\].*skelact\[mediapipe\]"):
        decide_estimator()


def test_what_is_asked_for_by_name_is_never_replaced_by_another(world):
    assert decide_estimator("mediapipe").name == "mediapipe"
    hands = decide_estimator("mediapipe-hands")
    assert (hands.name, hands.layout) == ("mediapipe-hands", "hand21")
    assert "hands, not bodies" in str(hands)
    world.weights = None
    for words in ({"name": "yolo"}, {"weights": "mine.pt"}):
        with pytest.raises(WeightsError):
            decide_estimator(**words)
    world.installed = {"mediapipe"}
    for words in ({"name": "yolo"}, {"weights": "mine.pt"}):
        with pytest.raises(MissingDependencyError, match=r"skelact\[yolo\]"):
            decide_estimator(**words)


def test_what_contradicts_itself_is_refused(world):
    with pytest.raises(ChoiceError, match="auto, yolo, mediapipe"):
        decide_estimator("openpose")
    for words in ({"weights": "mine.pt"}, {"device": "cuda"}):
        for name in ("mediapipe", "mediapipe-hands"):
            with pytest.raises(SkelactError, match="mediapipe brings its own model"):
                decide_estimator(name, **words)


def test_the_identity_follows_the_content_of_the_weights_not_their_place(world, tmp_path):
    first = decide_estimator().identity
    world.weights = tmp_path / "sub" / "yolo11n-pose.pt"
    world.weights.parent.mkdir()
    world.weights.write_bytes(b"1")
    assert decide_estimator(device="cuda").identity == first
    world.weights.write_bytes(b"2")
    assert decide_estimator().identity != first
    for name in ("mediapipe", "mediapipe-hands"):
        assert decide_estimator(name).identity["estimator"] == name


def test_choosing_says_in_one_line_what_and_why(world, monkeypatch, capsys):
    monkeypatch.setattr(choice.EstimatorChoice, "load", lambda self: self.name)
    assert choose_estimator("mediapipe") == "mediapipe"
    assert choose_estimator() == "yolo"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "mediapipe" in lines[0]
    assert "follows several people" in lines[1]
