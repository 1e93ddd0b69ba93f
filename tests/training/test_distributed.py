"""Several processes are one run: they meet, share, agree, and end together."""

import copy
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
import torch
import torch.distributed as dist
from processes import free_port, run_processes, start_torchrun
from stores import walkers, write_store
from torch import nn

from skelact.cli.main import main
from skelact.errors import ChoiceError, SkelactError
from skelact.models import stgcn
from skelact.models.torch_file import read_torch_file
from skelact.nn.temporal_conv import BatchNorm
from skelact.training import distributed
from skelact.training.peers import explain_loss, introduce


@pytest.fixture
def torchrun_says(monkeypatch):
    def say(**variables):
        for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))

    return say


@pytest.mark.parametrize("variables", [{}, {"WORLD_SIZE": 1, "RANK": 0}])
def test_a_world_of_one_does_nothing(torchrun_says, variables):
    torchrun_says(**variables)
    with distributed.joined("cpu") as world:
        assert (world.rank, world.size, world.is_main) == (0, 1, True)
        assert distributed.is_main_process()
        assert not dist.is_initialized()
        network, values, rows = nn.Linear(2, 2), torch.ones(3), np.arange(4)
        assert distributed.wrap(network, world) is network
        assert distributed.sum_over(world, values) is values
        assert distributed.gather_rows(world, rows) is rows
        assert distributed.from_main(world, "choice", "a") == "a"
        distributed.check_same(world, "data", "b")
        distributed.copy_from_main(world, network)
        distributed.barrier(world)
    with pytest.raises(RuntimeError, match="its own"), distributed.joined("cpu"):
        raise RuntimeError("its own")


def test_an_environment_that_is_not_torchruns_is_refused(torchrun_says):
    torchrun_says(WORLD_SIZE=2)
    with pytest.raises(SkelactError, match=r"number in RANK, .* got ''"):
        distributed.join("cpu")
    torchrun_says(WORLD_SIZE=2, RANK=0, LOCAL_RANK="first")
    with pytest.raises(SkelactError, match=r"LOCAL_RANK.*'first'"):
        distributed.join("cpu")
    torchrun_says(WORLD_SIZE=2, RANK=1, LOCAL_RANK=1)
    with pytest.raises(ChoiceError, match=r"several processes.*'cuda:1'"):
        distributed.join("cuda:1")
    if torch.cuda.device_count() < 2:
        with pytest.raises(ChoiceError, match="a GPU for each process"):
            distributed.join("cuda")


def test_who_waits_in_vain_says_so(torchrun_says):
    torchrun_says(WORLD_SIZE=2, RANK=0, LOCAL_RANK=0, MASTER_ADDR="127.0.0.1",
                  MASTER_PORT=free_port())
    with pytest.raises(SkelactError, match="expected 2 processes to meet"):
        distributed.join("cpu", timedelta(seconds=1))
    assert not dist.is_initialized()


def test_processes_share_what_they_find():
    outputs = run_processes("""
import numpy as np, torch
from skelact.errors import SkelactError
from skelact.models import stgcn
from skelact.training.distributed import *
r = world.rank
assert (world.size, world.is_main, is_main_process()) == (2, r == 0, r == 0)
assert sum_over(world, torch.tensor([r, 1.0])).tolist() == [1, 2]
for count in (0, 1, 2, 7):
    rows = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    assert np.array_equal(gather_rows(world, rows[r::2]), rows), count
assert from_main(world, "precision", f"bf{r}") == "bf0"
check_same(world, "number of clips", "12")
try:
    check_same(world, "the step", str(r))
    print("agrees")
except SkelactError as error:
    print(error)
torch.manual_seed(r)
network = stgcn("coco17", 2, base_channels=2)
network.input_norm.running_mean += r
copy_from_main(world, network)
assert network.input_norm.running_mean.unique().tolist() == [0]
torch.manual_seed(0)
assert torch.equal(network.head.weight, stgcn("coco17", 2, base_channels=2).head.weight)

# a process without any person takes part; rank 0's statistics are everybody's
ddp = wrap(network, world)
clips = torch.randn(2, 1, 17, 3, 8) * (r != 1)
for step in range(2):
    ddp(clips).square().sum().backward()
gradients = torch.cat([p.grad.flatten() for p in network.parameters()])
assert torch.equal(sum_over(world, gradients), 2 * gradients)
assert gradients.abs().sum() > 0
try:
    synchronise_norms(network)
    network(clips + 1)
except ValueError as error:
    assert "SyncBatchNorm expected input tensor to be on GPU" in str(error)
else:
    raise AssertionError("batch statistics were not exchanged")
barrier(world)
""")
    assert outputs[0] == "agrees\n"
    assert "agree on the step, got '0' in process 0 and '1' in process 1;" in outputs[1]


def test_synchronised_norms_keep_axes_and_weights():
    torch.manual_seed(0)
    network = stgcn("coco17", 3, base_channels=4)
    synchronised = copy.deepcopy(network)
    distributed.synchronise_norms(synchronised)
    distributed.synchronise_norms(synchronised)  # once more changes nothing
    norms = [m for m in synchronised.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert norms
    assert all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
    clips = torch.randn(4, 2, 17, 3, 8)
    for _ in range(2):
        assert torch.equal(network(clips), synchronised(clips))
    weights = copy.deepcopy(synchronised).state_dict()
    assert list(weights) == list(network.state_dict())
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name])
    assert torch.equal(network.eval()(clips), synchronised.eval()(clips))


def test_synchronised_norms_of_nobody_send_what_the_others_send(monkeypatch):
    sent = []
    torchs = nn.SyncBatchNorm.forward
    monkeypatch.setattr(nn.SyncBatchNorm, "forward",
                        lambda norm, x: sent.append(x.dtype) or torchs(norm, x))
    norm = nn.Sequential(BatchNorm(4))
    distributed.synchronise_norms(norm)
    for people in (0, 2):
        features = torch.zeros(people, 17, 4, 8, dtype=torch.bfloat16)
        assert norm(features).shape == features.shape
        assert norm(features).dtype == torch.bfloat16
    assert sent == [torch.float32] * 2 + [torch.bfloat16] * 2


def test_two_processes_train_as_one(tmp_path):
    write_store(tmp_path / "walkers.store", walkers(32))
    words = ["train", str(tmp_path / "walkers.store"), "--device", "cpu", "--precision", "fp32",
             "--optim.epochs", "2", "--optim.batch_size", "4", "--clip.frames", "8",
             "--network.base_channels", "4", "--network.dropout", "0",
             "--network.freeze_norm", "true", "--test_clips", "1", "--optim.min_steps", "0",
             "--optim.repeat", "2"]
    job = start_torchrun("-m", "skelact", *words, "-o", str(tmp_path / "two"))
    assert main([*words, "-o", str(tmp_path / "one")]) == 0
    output, error = job.communicate(timeout=300)
    assert job.returncode == 0, error
    assert output.count("wrote ") == 1
    one, two = (read_torch_file(tmp_path / run / "last.pt") for run in ("one", "two"))
    assert one["progress"]["step"] == two["progress"]["step"] >= 20
    for name, weight in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], weight, atol=1e-6, rtol=0, msg=name)


def test_a_process_that_is_killed_ends_the_job_and_is_named(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("""
import os, signal, sys, torch
from skelact.errors import SkelactError
from skelact.training.distributed import joined, sum_over
try:
    with joined("cpu") as world:
        for step in range(10 ** 9):
            sum_over(world, torch.ones(1))
            if world.rank == 1 and step == 5:
                os.kill(os.getpid(), signal.SIGKILL)
except SkelactError as error:
    sys.exit(str(error))
""")
    job = start_torchrun(str(program))
    try:
        error = job.communicate(timeout=180)[1]
    finally:
        job.kill()
    assert job.returncode != 0
    assert "process 1 of 2 (counted from 0) died" in error
    assert re.search(r"Root Cause.*rank +: 1 .*SIGKILL", error, re.DOTALL)


def test_what_is_wrong_in_every_process_is_said_once(monkeypatch, capsys):
    kept = dist.TCPStore("127.0.0.1", 0, is_master=True)  # by torchrun
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_USE_AGENT_STORE": "True",
                        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(kept.port)}.items():
        monkeypatch.setenv(name, value)
    said = []
    for preset in ("no_such_preset", "no_such_preset", "other"):
        assert main(["train", preset]) == 2
        said.append(capsys.readouterr().err)
    with pytest.raises(SystemExit):
        main(["train", "--no-such-option"])
    assert [line.count("skelact train: expected a preset") for line in said] == [1, 0, 1]
    assert "skelact train: " in capsys.readouterr().err
    # without an answer everybody speaks
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "False")
    assert main(["train", "no_such_preset"]) == 2
    assert capsys.readouterr().err == said[0]


@pytest.fixture
def gone():
    """The number of a process that was."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def explain(store, rank: int, size: int) -> str:
    before = signal.getsignal(signal.SIGTERM)
    try:
        return explain_loss(store, rank, size, RuntimeError("gloo/pair.cc:545: Timed out"))
    finally:
        signal.signal(signal.SIGTERM, before)


def test_who_is_lost(monkeypatch, gone):
    store = dist.HashStore()
    for rank in range(3):
        introduce(store, rank)
    monkeypatch.setattr("skelact.training.peers._PATIENCE", 0.2)
    # everybody lives: whoever does not miss the others hangs
    assert "process 1 and 2 of 3" in explain(store, 0, 3)
    assert "process 2 of 3 (counted from 0) died or does not answer (Timed out);" in explain(
        store, 1, 3)
    # who is dead is to blame, whoever else is silent
    other = dist.HashStore()
    for rank in range(3):
        introduce(other, rank)
    host = other.get("process/1").decode().split()[0]
    other.set("process/1", f"{host} {gone}")
    if os.path.exists("/proc/self/stat"):
        assert "process 1 of 3" in explain(other, 0, 3)
    other.set("process/1", f"elsewhere {gone}")
    assert "process 1 and 2 of 3" in explain(other, 0, 3)
