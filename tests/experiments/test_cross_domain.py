"""A matrix over made-up sensors: what travels, what it takes, what is written and refused."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from actions import write_actions
from kicks import KICKS, LABEL_MAP, in_millimetres_and_mirrored, quick, write_kicks
from PIL import Image

from skelact.cli.main import main
from skelact.datasets.store import Store
from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.evaluation.conditions import find_learned
from skelact.evaluation.scores import read_scores
from skelact.experiments.cross_domain import Options, run_checkpoint, run_cross_domain
from skelact.experiments.domains import open_domains
from skelact.experiments.few_shot import judge_few_shot
from skelact.experiments.leave_one_out import run_leave_one_out
from skelact.models.checkpoint import load_model, save_model
from skelact.pixel_config import RgbConfig

pytestmark = pytest.mark.usefixtures("no_curves")


@pytest.fixture(scope="module")
def kinect(tmp_path_factory):
    return write_kicks(tmp_path_factory.mktemp("data") / "kinect", "kinect").folder


@pytest.fixture(scope="module")
def mocap(tmp_path_factory):
    """Another skeleton, in millimetres, mirrored, other class names, and one class more."""
    return write_kicks(tmp_path_factory.mktemp("data") / "mocap", "mocap", layout="ntu25",
                       names=("front_kick", "rear_kick"),
                       distort=in_millimetres_and_mirrored).folder


@pytest.fixture(scope="module")
def label_map(tmp_path_factory):
    file = tmp_path_factory.mktemp("maps") / "kicks.yaml"
    file.write_text(LABEL_MAP)
    return str(file)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("out") / "matrix"


@pytest.fixture(scope="module")
def matrix(kinect, mocap, label_map, output):
    options = Options(label_map=label_map, seeds=1, adaptations=("batch_norm", "coral"),
                      distances=True, shots=(1, 2))
    return run_cross_domain([kinect], [kinect, mocap], output, quick(), options)


def test_what_was_learned_travels_once_axes_are_the_same(matrix):
    home, away = matrix.cells
    assert (home.is_in_domain, away.is_in_domain) == (True, False)
    assert (away.sources, away.target, away.classes) == (("kinect",), "mocap", ("ahead", "back"))
    assert away.figures.count == 24
    assert away.figures.clustered
    assert away.adapted["batch_norm"].accuracy.value > 0.85
    assert away.drop == away.in_domain.accuracy.value - away.figures.accuracy.value


def test_it_does_not_travel_while_axes_differ(matrix, kinect, mocap, label_map, output, tmp_path):
    model = next(output.glob("runs/kinect--kinect/seed0/model.pt"))
    options = Options(label_map=label_map, change_axes=False)
    left = run_checkpoint(model, [mocap], tmp_path / "left", options).cells[0]
    made = run_checkpoint(model, [mocap], tmp_path / "made", replace(options, change_axes=True),
                          source=kinect).cells[0]
    assert left.figures.accuracy.value < 0.7
    assert left.in_domain is None
    assert np.isnan(left.drop)
    # the same network on the same clips, trained or read again
    assert made.figures == matrix.cells[1].figures
    assert made.in_domain == matrix.cells[1].in_domain
    assert "MIRRORED" in (tmp_path / "made" / "axes" / "mocap.txt").read_text()
    assert "--no-harmonise" in (tmp_path / "left" / "axes" / "mocap.txt").read_text()


def test_everything_is_written(matrix, output):
    report = (output / "matrix.md").read_text()
    for words in ("| kinect | mocap |", "AdaBN", "CORAL", "proxy-A", "rear_kick", "clips a class",
                  "Joints: `common`"):
        assert words in report
    rows = list(csv.DictReader((output / "matrix.csv").open()))
    assert [row["test"] for row in rows] == ["kinect", "mocap"]
    away = matrix.cells[1]
    assert float(rows[1]["accuracy"]) == pytest.approx(away.figures.accuracy.value, abs=1e-5)
    assert float(rows[1]["coral"]) == pytest.approx(away.adapted["coral"].accuracy.value, abs=1e-5)
    content = json.loads((output / "matrix.json").read_text())
    assert content["cells"][1]["figures"]["accuracy"]["value"] == away.figures.accuracy.value
    assert content["classes"]["kinect -> mocap"]["back"] == {"kinect": ["kick_back"],
                                                             "mocap": ["rear_kick"]}
    pair = (output / "pairs" / "kinect--mocap.txt").read_text()
    for words in ("2 shared classes", "kick_back (12 clips) = rear_kick (12 clips)", "by name",
                  "Axes of mocap", "MIRRORED"):
        assert words in pair
    assert "remap ntu25 -> kinect20+ntu25" in (output / "joints" / "mocap.txt").read_text()
    assert Image.open(output / "matrix.png").size[0] > 400
    scores = read_scores(output / "runs" / "kinect--kinect" / "seed0" / "on_mocap.npz")
    assert scores.hits().mean() == away.figures.accuracy.value
    store = Store(output / "stores" / "kinect--kinect")
    assert store.header.classes == ("ahead", "back")
    assert store.header.splits == {"test": 6, "train": 18}
    assert store.header.layout.name == "kinect20+ntu25"


def test_the_joints_of_each_source(kinect, mocap, label_map, tmp_path):
    """Each pair has the skeleton of what is trained on; the files say both."""
    config = quick()
    config = replace(config, optim=replace(config.optim, epochs=1))
    options = Options(label_map=label_map, seeds=1, joints="source")
    run_cross_domain([kinect, mocap], [kinect, mocap], tmp_path / "out", config, options)
    layouts = {folder.name: load_model(folder / "seed0" / "model.pt").layout.name
               for folder in (tmp_path / "out" / "runs").iterdir()}
    assert layouts == {"kinect--kinect": "kinect20", "mocap--kinect": "ntu25"}
    joints = (tmp_path / "out" / "joints" / "kinect.txt").read_text()
    assert "remap kinect20 -> kinect20" in joints
    assert "remap kinect20 -> ntu25" in joints
    pair = " ".join((tmp_path / "out" / "pairs" / "mocap--kinect.txt").read_text().split())
    assert "missing, seen by the network as absent:" in pair
    again = run_cross_domain([kinect, mocap], [kinect, mocap], tmp_path / "out", config, options,
                             resume=True)
    assert len(again.cells) == 4
    with pytest.raises(SkelactError, match='settings: joints is "aligned", was "source"'):
        run_cross_domain([kinect, mocap], [kinect, mocap], tmp_path / "out", config,
                         replace(options, joints="aligned"), resume=True)


def test_a_few_clips_of_the_target_are_the_test_part_by_others(matrix):
    found = matrix.cells[1].few_shot
    assert list(found) == ["1 cosine", "1 euclidean", "2 cosine", "2 euclidean"]
    assert {figures.count for figures in found.values()} == {6}
    assert all(0 <= figures.accuracy.value <= 1 for figures in found.values())


def test_resuming_trains_nothing_again_and_finds_the_same(matrix, kinect, mocap, label_map,
                                                          output):
    runs = sorted(output.glob("runs/*/seed0/model.pt"))
    times = [run.stat().st_mtime_ns for run in runs]
    again = run_cross_domain([kinect], [kinect, mocap], output, quick(),
                             Options(label_map=label_map, seeds=1), resume=True)
    assert [run.stat().st_mtime_ns for run in runs] == times
    assert [cell.figures for cell in again.cells] == [cell.figures for cell in matrix.cells]
    with pytest.raises(SkelactError, match=r"begun with other settings: config.seed is 5, was 0 "):
        run_cross_domain([kinect], [kinect, mocap], output, quick(seed=5),
                         Options(label_map=label_map, seeds=1), resume=True)
    with pytest.raises(OutputExistsError, match="holds an experiment; pass --resume"):
        run_cross_domain([kinect], [mocap], output, quick())


def test_a_setting_that_came_later_is_its_default(matrix, kinect, mocap, label_map, output):
    """An experiment that an earlier version began is gone on with."""
    file = output / "settings.json"
    text = file.read_text()
    content = json.loads(text)
    del content["config"]["augment"]["jitter"], content["config"]["optim"]["repeat"]
    file.write_text(json.dumps(content))
    again = run_cross_domain([kinect], [kinect, mocap], output, quick(),
                             Options(label_map=label_map, seeds=1), resume=True)
    assert [cell.figures for cell in again.cells] == [cell.figures for cell in matrix.cells]
    assert json.loads(file.read_text())["config"] == json.loads(text)["config"]


def test_another_meaning_of_the_classes_is_another_experiment(matrix, kinect, mocap, output,
                                                             tmp_path):
    file = tmp_path / "kicks.yaml"
    file.write_text(LABEL_MAP.replace("front_kick", "?").replace("rear_kick", "front_kick")
                    .replace("?", "rear_kick"))
    with pytest.raises(SkelactError, match=r"begun with other settings: meaning\..*ahead\.mocap is "
                                           r'\["rear_kick"\], was \["front_kick"\]'):
        run_cross_domain([kinect], [kinect, mocap], output, quick(),
                         Options(label_map=str(file), seeds=1), resume=True)


def test_clips_that_a_model_learned_from_do_not_judge_it(matrix, kinect, output, tmp_path):
    model = load_model(output / "runs" / "kinect--kinect" / "seed0" / "model.pt")
    model = replace(model, classes=("kick_ahead", "kick_back"),
                    data={"name": "kinect"}, training=model.training | {"protocol": "drawn"})
    save_model(model, tmp_path / "model.pt")
    found = run_checkpoint(tmp_path / "model.pt", [kinect], tmp_path / "out")
    learned = len(Store(kinect).arrays) - found.cells[0].figures.count
    assert learned == len(find_learned(model, "kinect", Store(kinect).columns())) > 0
    report = (tmp_path / "out" / "matrix.md").read_text()
    assert "under another name is not recognized" in report
    save_model(replace(model, training={"protocol": "gone.csv"}), tmp_path / "lost.pt")
    lost = run_checkpoint(tmp_path / "lost.pt", [kinect], tmp_path / "lost")
    assert lost.cells[0].figures.count == 24
    assert "protocol (gone.csv) cannot be found here" in str(lost)
    assert found.meaning["kinect -> kinect"]["kick_back"] == {"model": ["kick_back"],
                                                              "kinect": ["kick_back"]}


def test_a_part_of_the_target_that_was_trained_on_does_not_judge(tmp_path):
    """NTU RGB+D 60 is the first half of 120, under the same clip ids."""
    half, whole = (write_kicks(tmp_path / name, name, clips=clips).folder
                   for name, clips in (("ntu60", 16), ("ntu120", 24)))
    config = quick()
    config = replace(config, protocol="drawn", optim=replace(config.optim, epochs=1))
    matrix = run_cross_domain([half], [whole], tmp_path / "out", config, Options(seeds=1))
    store = Store(tmp_path / "out" / "stores" / "ntu60--ntu120")
    assert matrix.cells[0].figures.count == 24 - store.header.splits["train"] < 24


def test_leaving_one_out_joins_the_others(kinect, mocap, label_map, tmp_path):
    """Three sets; what they learn together is tested on each in turn."""
    third = write_kicks(tmp_path / "third", "third", clips=16, layout="utd20").folder
    file = tmp_path / "map.yaml"
    file.write_text(LABEL_MAP.replace("{kinect: [kick_ahead]", "{kinect: [kick_ahead], "
                                      "third: [kick_ahead]").replace(
        "{kinect: [kick_back]", "{kinect: [kick_back], third: [kick_back]"))
    config = quick()
    config = replace(config, optim=replace(config.optim, epochs=1))
    matrix = run_leave_one_out([kinect, mocap, third], tmp_path / "out", config,
                               Options(label_map=str(file), seeds=1))
    assert [cell.sources for cell in matrix.cells] == [
        ("mocap", "third"), ("kinect", "third"), ("kinect", "mocap")]
    store = Store(tmp_path / "out" / "stores" / "kinect+mocap--third")
    assert len(store) == 48
    assert {name.split("/")[0] for name in store.columns()["clip_id"]} == {"kinect", "mocap"}
    assert np.ptp(store.arrays.joints[..., 1]) < 3  # all of it in metres


def test_what_is_3d_is_looked_at_where_the_other_is_2d(kinect, tmp_path):
    """A camera's data set and a sensor's, tested each way, and both learned by one network."""
    flat = write_actions(tmp_path / "flat", clips=16, name="flat").folder
    file = tmp_path / "map.yaml"
    file.write_text("classes:\n  one: {kinect: [kick_ahead], flat: [arms]}\n"
                    "  two: {kinect: [kick_back], flat: [legs]}\n")
    config = quick()
    config = replace(config, optim=replace(config.optim, epochs=1))
    options = Options(label_map=str(file), seeds=1)
    matrix = run_cross_domain([kinect, flat], [kinect, flat], tmp_path / "apart", config, options)
    assert [cell.figures.count for cell in matrix.cells] == [6, 16, 24, 4]
    clips = {folder.name: load_model(folder / "seed0" / "model.pt").clip
             for folder in (tmp_path / "apart" / "runs").iterdir()}
    assert {name: clip.dims for name, clip in clips.items()} == {
        "kinect--kinect": 3, "kinect--flat": 2, "flat--kinect": 2}
    assert clips["kinect--flat"].normalise == "body"
    joined = run_cross_domain([kinect, flat], [flat], tmp_path / "joined", config, options,
                              pooled=True)
    assert joined.cells[0].figures.count == 4  # the others were trained on
    store = Store(tmp_path / "joined" / "stores" / "kinect+flat--flat")
    assert store.header.dims == 2
    assert store.header.splits["train"] == 18 * 5 + 12  # five sides of every 3-D clip


def test_pairs_that_share_nothing_are_said_or_refused(kinect, mocap, tmp_path):
    other = write_kicks(tmp_path / "other", "other", clips=8, names=("sit", "lie")).folder
    file = tmp_path / "map.yaml"
    file.write_text(LABEL_MAP + "  other: [sit, lie]\n")
    options = Options(label_map=str(file), seeds=1)
    with pytest.raises(SkelactError, match=r"kinect -> other: 0 shared classes.*--label-map"):
        run_cross_domain([kinect], [other], tmp_path / "out", quick(), options)
    with pytest.raises(ChoiceError, match="loso-<subject> with a subject out of 0, 1, 2, 3"):
        run_cross_domain([kinect], [kinect], tmp_path / "out", replace(quick(), protocol="loso-9"),
                         Options(seeds=1))
    with pytest.raises(ChoiceError, match=r"judges skeletons; leave --rgb\.encoder tsn out"):
        run_cross_domain([kinect], [kinect], tmp_path / "out",
                         replace(quick(), rgb=RgbConfig(encoder="tsn")), Options(seeds=1))
    assert not (tmp_path / "out").exists()
    with pytest.raises(ChoiceError, match="does not know the data set 'kinect'"):
        run_cross_domain([kinect], [mocap], tmp_path / "out", quick(), Options())
    with pytest.raises(SkelactError, match="2 called 'kinect'"):
        open_domains([kinect, write_kicks(tmp_path / "twin", "kinect", clips=8).folder])
    config = replace(quick(), protocol="all")
    with pytest.raises(ChoiceError, match="--protocol drawn"):
        run_cross_domain([kinect], [kinect], tmp_path / "out", config, Options(seeds=1))


def test_a_model_needs_classes_in_common(matrix, output, mocap, label_map, tmp_path):
    model = output / "runs" / "kinect--kinect" / "seed0" / "model.pt"
    other = write_kicks(tmp_path / "other", "other", clips=8, names=("sit", "lie")).folder
    file = tmp_path / "map.yaml"
    file.write_text(LABEL_MAP + "  other: [sit, lie]\n")
    with pytest.raises(SkelactError, match=r"shares no class .* with other"):
        run_checkpoint(model, [other], tmp_path / "out", Options(label_map=str(file)))
    with pytest.raises(SkelactError, match="--train STORE"):
        run_checkpoint(model, [mocap], tmp_path / "out",
                       Options(label_map=label_map, distances=True))


def test_a_model_of_depth_refuses_pictures(matrix, output, tmp_path):
    model = output / "runs" / "kinect--kinect" / "seed0" / "model.pt"
    flat = write_actions(tmp_path / "flat", clips=8, name="flat", layout="kinect20").folder
    with pytest.raises(SkelactError, match="takes 3-D joints, and these clips are 2-D"):
        run_checkpoint(model, [flat], tmp_path / "out")


def test_the_command(kinect, mocap, label_map, tmp_path):
    """As a user types it; what is missing and what is there already in one line."""
    out = tmp_path / "out"
    words = ["cross-domain", "--train", str(kinect), "--test", str(mocap), "--label-map",
             label_map, "-o", str(out), "--seeds", "1", "--optim.epochs", "2",
             "--network.base_channels", "4", "--clip.frames", "8", "--device", "cpu"]
    done = subprocess.run([sys.executable, "-m", "skelact", *words], capture_output=True,
                          text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == 0, done.stderr
    assert "| kinect | mocap |" in done.stdout
    assert (out / "matrix.png").is_file()
    assert KICKS[0] in (out / "matrix.md").read_text()


@pytest.mark.parametrize(("words", "message"), [
    ([], "expected --train STORE"),
    (["--train", "a"], "expected --train STORE"),
    (["--leave-one-out", "a", "b", "--test", "c"], "without --train, --test"),
    (["--train", "a", "--test", "b", "--few-shot", "one"], "numbers such as 1,5,20"),
    (["--train", "a", "--test", "b", "--tune"], "expected --few-shot"),
    (["--train", "a", "--test", "b", "--adapt", "magic"], "an adaptation"),
    (["--train", "a", "--test", "b", "--seeds", "0"], "seeds from 1"),
    (["--model", "m.pt"], "--model CKPT takes --test"),
    (["--model", "m.pt", "--test", "b"], "no model at m.pt"),
    (["--one-shot", "--train", "a", "--test", "b"], "one store of ntu120"),
    (["--train", "absent", "--test", "b"], "no dataset store"),
    (["--train", "a", "--test", "b", "--joints", "comon"], "did you mean 'common'"),
])
def test_wrong_usage_is_one_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["cross-domain", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("skelact cross-domain: ")
    assert not list(tmp_path.iterdir())


def test_nearest_means_with_more_clips_than_there_are_take_all(matrix, output, mocap):
    models = [load_model(output / "runs" / "kinect--kinect" / "seed0" / "model.pt")]
    target = open_domains([mocap], models[0].layout)[0]
    found = judge_few_shot(models, target, [99], draws=2)
    assert found["99 cosine"].by_seed[0] == pytest.approx(found["99 cosine"].accuracy.value)
