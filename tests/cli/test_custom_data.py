"""Three commands from a folder of videos to named actions."""

import json

import numpy as np
import pytest
from dots import DotEstimator, dots_video

from skelact.cli.main import main
from skelact.datasets.dataset import load_dataset
from skelact.pose.estimators import choice


class Choice:
    """Stands for a decided estimator."""

    layout, identity = "coco17", {"estimator": "dots"}

    def __str__(self) -> str:
        return "a decided estimator"

    def load(self) -> DotEstimator:
        return DotEstimator()


@pytest.fixture
def _dots(monkeypatch, tmp_path):
    monkeypatch.setattr(choice, "decide_estimator", lambda *_: Choice())
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_dots")
def test_prepare_train_recognize(tmp_path, capsys):
    for i in range(6):
        dots_video(tmp_path / "mydata" / "walk right" / f"{i}.mp4", frames=16, starts=(10 + 3 * i,))
        dots_video(tmp_path / "mydata" / "walk left" / f"{i}.mp4", frames=16, starts=(90 + 3 * i,),
                   step=-2.0)
    (tmp_path / "mydata" / "walk left" / "broken.mp4").write_bytes(b"no video" * 99)

    assert main(["data", "prepare", "mydata", "--from-videos", "mydata", "-o", "store"]) == 1
    said = capsys.readouterr()
    assert "  failed: clip walk left/broken" in said.out
    assert said.err == "skelact: a decided estimator\n"  # once
    parts = [load_dataset("store", part) for part in ("train", "val", "test")]
    assert [len(part) for part in parts] == [8, 2, 2]
    assert list(parts[0].classes) == ["walk_left", "walk_right"]
    for part in parts:
        labels = [part.recording(i).labels["label"] for i in range(len(part))]
        assert np.unique(labels, return_counts=True)[1].tolist() == [len(part) // 2] * 2

    assert main(["train", "custom", "--data", "store", "-o", "run", "--optim.epochs", "2",
                 "--optim.warmup_epochs", "1", "--optim.min_steps", "3",
                 "--network.base_channels", "8"]) == 0
    assert main(["recognize", "store.poses/walk left/0.npz", "--model", "run/model.pt",
                 "-o", "out.json"]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert set(found["classes"]) >= {"walk_left", "walk_right"}


@pytest.mark.usefixtures("_dots")
def test_parts_of_videos_and_a_store_of_one_class(tmp_path, capsys):
    for i in range(4):
        dots_video(tmp_path / "mine" / "videos" / f"{i}.mp4", frames=20, starts=(10 + 5 * i,))
    rows = [f"{i}.mp4,{label},{start},{start + 0.3:.1f}" for i in range(4)
            for start, label in ((0, "clap"), (0.3, "jump"), (0.5, "clap"))]
    table = tmp_path / "mine" / "labels.csv"
    table.write_text("\n".join(["file,label,start,end", *rows]))
    prepare = ["data", "prepare", "mine", "--from-videos", "mine", "-o", "store"]
    assert main(prepare) == 0
    said = capsys.readouterr().out
    assert "store: 12 clips of 4 videos, " in said
    assert "Clips of one video stay together" in said
    assert "skelact train store" in said
    parts = [load_dataset("store", part) for part in ("train", "val", "test")]
    videos = [{part.recording(i).source for i in range(len(part))} for part in parts]
    assert [len(part) for part in videos] == [2, 1, 1]
    assert len(set.union(*videos)) == 4

    table.write_text("\n".join(["file,label,start,end", *filter(lambda row: "clap" in row, rows)]))
    assert main([*prepare, "--overwrite"]) == 0
    said = capsys.readouterr().out
    assert "warning: all labelled clips show one class, clap" in said
    assert "next: skelact show store -o sheet.png; skelact data validate store\n" in said
    assert main(["train", "store", "-o", "run"]) == 2
    assert "at least two classes to train on; store has only clap" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
