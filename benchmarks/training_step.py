"""The training step of our ST-GCN against pyskl's formulation of it.

The reference is `tests/plain_st_gcn.py`: a 1x1 convolution, one einsum over partitions and
joints, contiguous memory, absent persons (zeros) convolved like the others. Both networks start
from the same weights and get the same clips: NTU-25, made up, two persons ("dense"), or one in 80 %
of the clips ("mix", as in NTU). A step is forward, cross-entropy, backward and SGD with Nesterov
momentum.

All take turns, in this process, on the same threads. Seconds are medians over the rounds; a ratio
is the median of the ratios within a round, so that load which comes and goes falls on both sides.
With ``--clock cpu`` both are CPU time instead: for a machine with other work, and one thread.

    python benchmarks/training_step.py --threads 1
    python benchmarks/training_step.py --check ../shared/reference/pyskl_stgcn_ntu25
    python benchmarks/training_step.py --device cuda --batch 128 --frames 100
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import torch
from plain_st_gcn import PlainSTGCN, convert, load_plain
from torch import Tensor, nn

CLASSES = 60
PRESENT = {"dense": 1.0, "mix": 0.2}
"""Share of the clips that show a second person."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def main() -> None:
    options = parse()
    if options.check:
        sys.exit(check(options.check))
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    plain = PlainSTGCN(options.width, CLASSES).to(options.device)
    print_conditions(options)
    print_losses(plain, options)
    pairs = ([("fp32", "fp32", ""), ("fp32", "bf16", ""), ("bf16", "bf16", "")]
             if options.device == "cpu" else
             [("fp16", "bf16", ""), ("fp16", "bf16", "compiled")])
    print(f"{'clips':6} {'persons':>7} {'reference':>15} {'ours':>20} {'ratio':>7} {'(range)':>14}")
    for name in PRESENT:
        clips, labels = make_clips(name, options)
        persons = int((clips != 0).flatten(2).any(2).sum())
        steps = {}
        for theirs, precision, how in pairs:
            steps.setdefault((theirs, None), make_step(
                deepcopy(plain), clips.permute(0, 1, 4, 2, 3).contiguous(), labels, theirs))
            steps.setdefault((precision, how), make_step(
                convert(plain), clips, labels, precision, compiled=how == "compiled"))
        seconds = measure(steps, options)
        for theirs, precision, how in pairs:
            slow, fast = seconds[theirs, None], seconds[precision, how]
            ratios = [a / b for a, b in zip(slow, fast, strict=True)]
            print(f"{name:6} {persons:7} {theirs:>6} {statistics.median(slow):7.4f}s "
                  f"{how:>8} {precision} {statistics.median(fast):7.4f}s "
                  f"{statistics.median(ratios):6.2f}x  ({min(ratios):.2f}-{max(ratios):.2f})")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8, help="clips")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--width", type=int, default=64, help="channels of the first layers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--check", type=Path, metavar="FOLDER",
                        help="compare the reference and ours with the parity fixtures, and stop")
    return parser.parse_args()


def check(folder: Path) -> int:
    """Print the errors on the parity fixtures, relative to the largest logit; 1 if too large."""
    plain = load_plain(folder / "checkpoint.pth")
    ours, worst = convert(plain, absent="zeros"), 0.0
    for name in ("io", "io_absent"):
        with np.load(folder / f"{name}.npz") as file, torch.inference_mode():
            clips, logits = (torch.from_numpy(file[key]).double() for key in ("x", "logits"))
            errors = [float((scores - logits).abs().max() / logits.abs().max())
                      for scores in (plain(clips), ours(clips.permute(0, 1, 3, 4, 2)))]
        print(f"{name:10} relative error: reference {errors[0]:.1e}, ours {errors[1]:.1e}")
        worst = max(worst, *errors)
    return int(not worst <= 1e-9)


def make_clips(name: str, options: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Clips ``[B, M, N, C, T]`` and labels ``[B]``."""
    generator = torch.Generator().manual_seed(1)
    clips = torch.randn(options.batch, 2, 25, 3, options.frames, generator=generator)
    clips[round(PRESENT[name] * options.batch):, 1] = 0
    labels = torch.randint(CLASSES, (options.batch,), generator=generator)
    return clips.to(options.device), labels.to(options.device)


def make_step(
    network: nn.Module, clips: Tensor, labels: Tensor, precision: str, compiled: bool = False
) -> Callable[[], None]:
    """One step of training, on the same clips again and again."""
    if compiled:
        network.layers = torch.compile(network.layers)  # who is present is no matter of the graph
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9, nesterov=True, weight_decay=5e-4)
    dtype, device = DTYPES[precision], clips.device.type

    def step() -> None:
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            scores = network(clips)
        loss = nn.functional.cross_entropy(scores.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def measure(steps: dict, options: argparse.Namespace) -> dict[tuple, list[float]]:
    """Seconds of every step in every round, after two rounds that do not count."""
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    finish = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    seconds = {key: [] for key in steps}
    for _ in range(options.rounds + 2):
        for key, step in steps.items():
            finish()
            start = clock()
            step()
            finish()
            seconds[key].append(clock() - start)
    return {key: values[2:] for key, values in seconds.items()}


def print_conditions(options: argparse.Namespace) -> None:
    where = (torch.cuda.get_device_name() if options.device == "cuda"
             else f"{platform.processor() or platform.machine()}, {options.threads} thread(s) of "
                  f"{os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    print(f"training step of ST-GCN, {options.width} wide, NTU-25, {CLASSES} classes, 2 persons, "
          f"batch {options.batch}, {options.frames} frames; torch {torch.__version__}, {where}; "
          f"{options.rounds} rounds, {options.clock} time")


def print_losses(plain: PlainSTGCN, options: argparse.Namespace) -> None:
    """The loss of the first step on full clips, in fp32: the same work is done."""
    clips, labels = make_clips("dense", options)
    with torch.no_grad():
        theirs, ours = (float(nn.functional.cross_entropy(network(given), labels)) for
                        network, given in ((plain, clips.permute(0, 1, 4, 2, 3)),
                                           (convert(plain), clips)))
    print(f"first loss on full clips: reference {theirs:.7f}, ours {ours:.7f}, "
          f"difference {abs(theirs - ours):.1e}")


if __name__ == "__main__":
    main()
