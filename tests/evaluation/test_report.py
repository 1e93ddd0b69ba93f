"""The folder that an evaluation leaves: every file, and a page that stands alone."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from actions import write_actions
from PIL import Image
from swinging_model import swinging_model

from skelact.errors import OutputExistsError
from skelact.evaluation.comparison import compare
from skelact.evaluation.evaluate import evaluate_model
from skelact.evaluation.report import check_output, describe_metrics, write_report
from skelact.evaluation.scores import read_scores

FILES = {"metrics.json", "predictions.csv", "test_scores.npz", "confusion.png", "classes.png",
         "reliability.png", "report.md", "report.html"}


class Page(HTMLParser):
    """Collects what a page refers to, and checks that its tags close."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "srcset", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_actions(tmp_path_factory.mktemp("data") / "gym")


@pytest.fixture(scope="module")
def evaluation(store):
    """Of a model that knows a third action, and takes most legs for it."""
    model = swinging_model(("arms", "jump|s", "legs"), order=(0, 1))
    model.network.forward = lambda clips: _confused(model.network, clips)
    return evaluate_model(model, store, "all")


def _confused(network, clips):
    scores = type(network).forward(network, clips)
    import torch

    third = torch.zeros(len(scores), 1)
    third[::4] = 9.0
    return torch.cat([scores[:, :1], third, scores[:, 1:]], dim=1)


@pytest.fixture(scope="module")
def folder(evaluation, store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "evaluation"
    other = compare(evaluation.scores, evaluation.scores, "itself", evaluation.subjects)
    write_report(evaluation, store, folder, comparison=other)
    return folder


def test_every_file_is_there(folder, evaluation):
    assert {path.name for path in folder.iterdir() if path.is_file()} == FILES
    np.testing.assert_array_equal(read_scores(folder).scores, evaluation.scores.scores)
    lines = (folder / "predictions.csv").read_text().splitlines()
    assert lines[0] == "clip_id,label,predicted,arms,jump|s,legs"
    assert len(lines) == 25


def test_metrics_have_intervals_and_conditions(folder, evaluation):
    content = json.loads((folder / "metrics.json").read_text(), parse_constant=pytest.fail)
    for name in ("top1", "top5", "mean_class_accuracy", "precision_macro", "recall_macro",
                 "f1_macro"):
        figure = content[name]
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1, name
    assert content["top1"]["value"] == pytest.approx(evaluation.scores.accuracies()["top1"])
    assert content["num_clips"] == 24
    assert content["intervals"] == "95 % bootstrap over 4 subjects"
    assert 0 < content["ece"] < 1
    assert content["against"]["p_value"] == 1
    conditions = content["conditions"]
    assert (conditions["model"], conditions["data"], conditions["split"]) == ("swinger", "gym",
                                                                              "all")
    assert re.fullmatch("[0-9a-f]{64}", conditions["data_sha256"])
    assert conditions["versions"]["torch"]


def test_the_page_needs_nothing_but_itself(folder):
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert len(page.links) >= 4
    assert all(link.startswith("data:image/") for link in page.links)
    assert "<script" not in text
    assert "http" not in re.sub(r"data:[^\"]+", "", text)
    assert "prefers-color-scheme: dark" in text
    assert "prefers-reduced-motion" in text
    assert "jump|s" in text


def test_the_markdown_refers_to_files_that_are_there(folder):
    text = (folder / "report.md").read_text()
    files = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert {"confusion.png", "classes.png", "reliability.png"} <= set(files)
    assert all((folder / file).is_file() for file in files)
    assert "| top-1 accuracy | 0.7500 |" in text
    assert "| arms | jump\\|s |" in text
    assert "The model may answer any of its 3 classes; clips of 2 of them were tested" in text
    assert "Against itself" in text
    assert "## Wrong and sure of it" in text


def test_examples_show_the_mistaken_clip(folder):
    examples = sorted((folder / "pairs").glob("*.gif"))
    assert [path.name for path in examples] == ["1_arms_as_jump-s.gif"]
    with Image.open(examples[0]) as image:
        assert image.n_frames > 3
        assert image.size[0] == 300  # nobody jumps in these clips, so there is nothing beside


def test_nothing_is_replaced_unasked(folder, evaluation, store, tmp_path):
    before = (folder / "metrics.json").read_bytes()
    with pytest.raises(OutputExistsError, match=r"metrics\.json exists; pass --overwrite"):
        write_report(evaluation, store, folder)
    assert (folder / "metrics.json").read_bytes() == before
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.pt").write_bytes(b"weights")
    with pytest.raises(OutputExistsError, match="holds a training run"):
        check_output(run, overwrite=True)
    assert [path.name for path in run.iterdir()] == ["model.pt"]


def test_an_earlier_evaluation_is_replaced_whole(evaluation, store, tmp_path):
    write_report(evaluation, store, tmp_path)
    (tmp_path / "pairs" / "9_old.gif").write_bytes(b"GIF")
    perfect = evaluate_model(swinging_model(), store)
    write_report(perfect, store, tmp_path, overwrite=True)
    assert list((tmp_path / "pairs").iterdir()) == []
    text = (tmp_path / "report.md").read_text()
    assert "No test clip was taken for another class." in text
    assert "Examples" not in text
    assert describe_metrics(perfect)["top1"]["value"] == 1


def test_rejection_is_reported(store):
    model = swinging_model(rejects=True, threshold=0.3)
    evaluation = evaluate_model(model, store)
    assert describe_metrics(evaluation)["rejection"] == {"accepted": 1.0}


def test_of_a_single_clip_no_interval_is_known(tmp_path):
    store = write_actions(tmp_path / "one", clips=7)  # one of the last four is on the list "test"
    evaluation = evaluate_model(swinging_model(), store, "test")
    assert len(evaluation.scores) == 1
    write_report(evaluation, store, tmp_path / "out")
    top1 = json.loads((tmp_path / "out" / "metrics.json").read_text())["top1"]
    assert top1 == {"value": 1.0, "low": None, "high": None}
    assert "| top-1 accuracy | 1.0000 | unknown |" in (tmp_path / "out" / "report.md").read_text()
