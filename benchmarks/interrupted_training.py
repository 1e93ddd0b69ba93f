"""kill -9 while checkpoints are written and while ``skelact train`` runs: what is lost?

1. Writers save a checkpoint with its progress over and over, and are killed at random moments.
   Afterwards the file must load, and hold no earlier progress than the last save that returned.
2. ``skelact train`` runs are killed at random moments, resumed, killed again and at last left
   alone, in turn with 0 and 2 workers. The SHA-256 of their final weights must be that of a run
   that nobody touched.

Every process is a fork of this one, which has imported everything, so that the moments fall into
training and not into start-up; SIGKILL cannot be caught or tidied up after.

    python benchmarks/interrupted_training.py --writes 200 --runs 20
"""

import argparse
import contextlib
import hashlib
import os
import platform
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import RawValue
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from ntu60_sized import write_store

from skelact.cli.main import main as skelact
from skelact.models.checkpoint import ActionModel, build_network, load_model, save_model
from skelact.training.state import read_progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writes", type=int, default=200, help="writers to kill")
    parser.add_argument("--runs", type=int, default=20, help="training runs to kill")
    parser.add_argument("--kills", type=int, default=3, help="most kills a run")
    parser.add_argument("--base-channels", type=int, default=16, help="width of the saved network")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    random.seed(options.seed)
    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}, torch {torch.__version__}, {platform.system()}")
    with tempfile.TemporaryDirectory() as folder:
        kill_writers(Path(folder) / "last.pt", options.writes, options.base_channels)
        kill_runs(Path(folder), options.runs, options.kills)


def kill_writers(path: Path, count: int, base_channels: int) -> None:
    """Kill processes that do nothing but save; read what they leave."""
    architecture = {"name": "stgcn", "arguments": {"num_classes": 60,
                                                   "base_channels": base_channels}}
    layout = load_model().layout
    model = replace(load_model(), network=build_network(architecture, layout),
                    classes=tuple(map(str, range(60))), architecture=architecture, rejects=False)
    momentum = {key: torch.randn_like(value) for key, value in model.network.state_dict().items()
                if value.is_floating_point()}
    returned, found = RawValue("q", 0), Counter()
    save(model, path, momentum, 0)
    began = time.perf_counter()
    save(model, path, momentum, 0)
    usual = time.perf_counter() - began
    for _ in range(count):
        writer = fork(save_on, model, path, momentum, returned)
        kill_after(writer, random.uniform(0, 4 * usual))
        found["inside a write"] += bool(list(path.parent.glob(".last.*.part.pt")))
        for rest in path.parent.glob(".last.*.part.pt"):
            rest.unlink()
        try:
            load_model(path)
            found["lost"] += read_progress(path)["step"] < returned.value
        except Exception as error:  # any failure is what is counted here
            found["unreadable"] += 1
            print(f"  {type(error).__name__}: {error}")
    print(f"{count} writers of a {path.stat().st_size / 2**20:.1f} MiB checkpoint killed, "
          f"{found['inside a write']} of them inside a write, after {returned.value} saves: "
          f"{found['unreadable']} unreadable, {found['lost']} with a save lost that had returned")


def save(model: ActionModel, path: Path, momentum: dict, step: int) -> None:
    save_model(model, path, overwrite=True, progress={"step": step, "momentum": momentum})


def save_on(model: ActionModel, path: Path, momentum: dict, returned) -> None:
    """Save without end; ``returned`` is what a killed writer has certainly written."""
    while True:
        save(model, path, momentum, returned.value + 1)
        returned.value += 1


def kill_runs(folder: Path, count: int, most: int) -> None:
    """Kill training runs, resume them, and compare their weights with an untouched run's."""
    write_store(folder / "ntu60.store", train=160, test=60)
    seconds, digests = {}, {}
    for workers in (0, 2):
        began = time.perf_counter()
        run = folder / f"whole{workers}"
        wait(fork(train, folder, run, workers))
        seconds[workers], digests[workers] = time.perf_counter() - began, digest(run)
    print(f"untouched runs: {seconds[0]:.1f} and {seconds[2]:.1f} s, weights {digests[0][:16]} "
          f"with 0 workers, {digests[2][:16]} with 2")
    places, kills, same = Counter(), 0, 0
    for number in range(count):
        workers, run = (0, 2)[number % 2], folder / f"run{number}"
        for _ in range(random.randint(1, most)):
            kill_after(fork(train, folder, run, workers),
                       random.uniform(0, seconds[workers]))
            if (run / "model.pt").exists():
                break
            kills += 1
            places[place(run)] += 1
        wait(fork(train, folder, run, workers))
        rest = list(run.rglob("*.part*"))
        same += digest(run) == digests[0] == digests[2] and not rest
    print(f"{count} runs killed {kills} times in all, then left alone: {same} with the same "
          "weights and nothing left over")
    print("killed " + ", ".join(f"{place} {times}" for place, times in sorted(places.items())))


def train(folder: Path, run: Path, workers: int) -> None:
    """``skelact train``, small, with all that a run may have: dropout, EMA, mixup, retraining."""
    words = ["ntu60", "--data", f"{folder}/ntu60.store", "-o", f"{run}", "--resume",
             "--workers", f"{workers}", "--save_steps", "2", "--precision", "fp32",
             "--device", "cpu", "--clip.frames", "8", "--network.base_channels", "4",
             "--network.dropout", "0.2", "--optim.epochs", "2", "--optim.repeat", "1",
             "--optim.batch_size", "32", "--optim.ema", "0.9", "--augment.rotate", "10",
             "--augment.mixup", "0.2", "--retrain", "true", "--test_clips", "2"]
    if skelact(["train", *words]):
        raise SystemExit("training failed")


def place(run: Path) -> str:
    """Where a killed run stood."""
    if list(run.rglob(".*.part*")):
        return "inside a write"
    again = run / "retrain" / "last.pt"
    last = again if again.exists() else run / "last.pt"
    if not last.exists():
        return "before the first checkpoint"
    progress = read_progress(last)
    part = "of the second training" if again.exists() else "of the first training"
    where = "in an epoch" if progress["batches"][0]["batches_done"] else "between epochs"
    return f"{where} {part}"


def digest(run: Path) -> str:
    """SHA-256 of the names, types, shapes and bytes of the final weights."""
    state = torch.load(run / "model.pt", weights_only=True)["weights"]
    total = hashlib.sha256()
    for name, value in sorted(state.items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        total.update(value.contiguous().numpy().tobytes())
    return total.hexdigest()


def fork(work: Callable[..., None], *arguments) -> int:
    """The number of a new process that does this work, silently."""
    process = os.fork()
    if process:
        return process
    code = 1
    with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        work(*arguments)
        code = 0
    os._exit(code)


def kill_after(process: int, seconds: float) -> None:
    """SIGKILL after so many seconds, if it still runs then."""
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def wait(process: int) -> None:
    if os.waitpid(process, 0)[1]:
        raise SystemExit("a run that nobody killed failed")


if __name__ == "__main__":
    main()
