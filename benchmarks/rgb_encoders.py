"""What every encoder of pixels costs at its native clip size, beside the skeleton stream.

Each runs in a process of its own, one clip a batch, random weights, on as many threads as asked.
Milliseconds are medians over the rounds, after a forward that does not count: by the clock, and of
processors (summed over threads), which depend less on what else the machine does. Memory is the
most that the process had, weights included, less what it had before the network was built. GMAC
are multiplications and additions of one forward, counted by torch, halved.
With ``--backward`` a step is forward, backward of the mean square, without an optimiser; every
weight must have got a finite gradient.

    python benchmarks/rgb_encoders.py --threads 2 --rounds 5
    python benchmarks/rgb_encoders.py --names slowfast i3d --backward
"""

import argparse
import multiprocessing
import platform
import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from skelact.models import stgcn
from skelact.rgb.encoders import ENCODERS, build_encoder

SKELETON = "(skeleton) stgcn"
SKELETON_CLIP = (1, 2, 25, 3, 100)
"""B, M, N, C, T of the skeleton stream."""


def main() -> None:
    options = parse()
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, "
          f"{options.threads} threads, {options.rounds} rounds, one clip, float32")
    last = "step ms" if options.backward else "forward ms"
    print(f"| encoder | clip | D | parameters (M) | GMAC | {last} | processor ms | memory (MiB) |")
    print("|---|---|---|---|---|---|---|---|")
    spawn = multiprocessing.get_context("spawn")
    for name in options.names:
        with spawn.Pool(1) as pool:
            print(pool.apply(measure, (name, options.threads, options.rounds, options.backward)),
                  flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [SKELETON, *ENCODERS]
    parser.add_argument("--names", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backward", action="store_true", help="a step instead of a forward")
    return parser.parse_args()


def measure(name: str, threads: int, rounds: int, backward: bool) -> str:
    """One row of the table."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    before = peak()
    network, clips = build(name)
    parameters = sum(weight.numel() for weight in network.parameters())
    with FlopCounterMode(display=False) as counter:
        infer(network.eval(), clips)
    network.train(backward)
    step = train if backward else infer
    times = [timed(step, network, clips) for _ in range(rounds)]
    wall, processor = (1e3 * statistics.median(column) for column in zip(*times, strict=True))
    shape = " x ".join(map(str, clips.shape[1:]))
    width = getattr(network, "dim", None) or network.head.in_features
    return (f"| {name} | {shape} | {width} | {parameters / 1e6:.2f} | "
            f"{counter.get_total_flops() / 2e9:.1f} | {wall:.0f} | {processor:.0f} | "
            f"{(peak() - before) / 1024:.0f} |")


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The network and a clip for it."""
    if name == SKELETON:
        return stgcn("ntu25", 60), torch.randn(SKELETON_CLIP)
    encoder = build_encoder(name, "random")
    return encoder, torch.randn(1, encoder.channels, *encoder.native)


def infer(network: nn.Module, clips: Tensor) -> None:
    with torch.inference_mode():
        network(clips)


def train(network: nn.Module, clips: Tensor) -> None:
    network.zero_grad()
    network(clips).square().mean().backward()
    bad = [key for key, weight in network.named_parameters()
           if weight.grad is None or not weight.grad.isfinite().all()]
    if bad:
        raise SystemExit(f"no finite gradient: {', '.join(bad)}")


def timed(step: Callable, network: nn.Module, clips: Tensor) -> tuple[float, float]:
    """Seconds by the clock and of processors."""
    wall, processor = time.perf_counter(), time.process_time()
    step(network, clips)
    return time.perf_counter() - wall, time.process_time() - processor


def peak() -> int:
    """The most memory that this process had so far, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
