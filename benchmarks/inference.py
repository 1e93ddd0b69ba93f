"""ST-GCN made ready for inference against pyskl's formulation of it.

The reference is `tests/plain_st_gcn.py`: a 1x1 convolution, one einsum over partitions and joints,
batch norms of their own, contiguous memory, absent persons (zeros) convolved like the others. All
have the same weights and clips: NTU-25, made up, two persons ("dense"), or one in 80 % of the clips
("mix", as in NTU; five batches, so that the share is exact).

All take turns in this process, in inference mode, on the same threads. Seconds are medians over
the rounds, of one batch; a ratio is the median of the ratios within a round to the reference of
the first line. The machine's rate is that of one large matrix product, which takes its turn too;
its share is what our products (counted by torch) reach of it in the whole time of a forward.

    python benchmarks/inference.py --threads 2
    python benchmarks/inference.py --device cuda --batch 64 --frames 100
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import torch
from plain_st_gcn import PlainSTGCN, convert
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode
from weights import shake

from skelact.models.inference import for_inference

CLASSES = 60
SECOND = {"dense": 1, "mix": 5}
"""Every so manieth clip shows a second person; so many batches."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
REFERENCE, PRODUCT = "reference", "matrix product"
SIZE = 2048
"""Rows and columns of the matrix product."""


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    plain = PlainSTGCN(options.width, CLASSES)
    shake(plain)
    calm(plain)
    plain = plain.to(options.device).eval()
    print_conditions(options)
    for name, every in SECOND.items():
        report(name, plain, make_clips(every, options), options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8, help="clips")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--width", type=int, default=64, help="channels of the first layers")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--compile", action="store_true", help="time compiled layers as well")
    return parser.parse_args()


def calm(plain: nn.Module) -> None:
    """Let every norm know the features that arrive, so that they stay of one size."""
    norms = [module for module in plain.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        plain.train()(torch.randn(4, 2, 16, 25, 3))


def make_clips(every: int, options: argparse.Namespace) -> list[Tensor]:
    """Batches of clips ``[B, M, N, C, T]``."""
    generator = torch.Generator().manual_seed(1)
    clips = torch.randn(every * options.batch, 2, 25, 3, options.frames, generator=generator)
    clips[torch.arange(len(clips)) % every > 0, 1] = 0
    return list(clips.to(options.device).split(options.batch))


def report(name: str, plain: PlainSTGCN, clips: list[Tensor], options) -> None:
    """Print a line for the reference and each form of ours."""
    theirs = "fp32" if options.device == "cpu" else "fp16"
    ours = convert(plain, absent="zeros")
    networks = {"as trained": ours, "fp32": for_inference(ours),
                "bf16": for_inference(ours, torch.bfloat16)}
    if options.compile:
        networks |= {f"{key} compiled": for_inference(ours, DTYPES[key], compile=True)
                     for key in ("fp32", "bf16")}
    foreign = [batch.permute(0, 1, 4, 2, 3).contiguous() for batch in clips]
    runs = {REFERENCE: make_run(plain, foreign, DTYPES[theirs])}
    runs |= {key: make_run(network, clips) for key, network in networks.items()}
    matrix = torch.randn(SIZE, SIZE, device=options.device)
    seconds = measure(runs | {PRODUCT: lambda: matrix @ matrix}, options)
    rate = 2 * SIZE**3 / statistics.median(seconds.pop(PRODUCT))
    work = count(networks["fp32"], clips)
    exact = scores(plain, foreign)
    print(f"{name}: {work / len(clips) / 2e9:.1f} G multiply-adds a batch, matrix product "
          f"{rate / 1e9:.0f} GFLOP/s in fp32")
    for key, values in seconds.items():
        ratios = [a / b for a, b in zip(seconds[REFERENCE], values, strict=True)]
        spent = statistics.median(values)
        given = exact if key == REFERENCE else scores(networks[key], clips)
        error = float((given - exact).abs().max() / exact.abs().max())
        share = "" if key == REFERENCE else f"{work / spent / rate:6.0%} of the rate"
        print(f"  {key if key != REFERENCE else f'{key} {theirs}':14} "
              f"{1e3 * spent / len(clips):8.2f} ms {statistics.median(ratios):6.2f}x "
              f"({min(ratios):.2f}-{max(ratios):.2f})  differs by {error:.0e} {share}")


def make_run(network: nn.Module, clips: list[Tensor], dtype=torch.float32) -> Callable[[], None]:
    """A forward of all batches."""
    device = clips[0].device.type

    def run() -> None:
        with torch.inference_mode(), torch.autocast(device, dtype, enabled=dtype != torch.float32):
            for batch in clips:
                network(batch)

    return run


@torch.inference_mode()
def scores(network: nn.Module, clips: list[Tensor]) -> Tensor:
    return torch.cat([network(batch) for batch in clips]).float()


@torch.no_grad()
def count(network: nn.Module, clips: list[Tensor]) -> int:
    """Floating-point operations of the products and convolutions of all batches."""
    with FlopCounterMode(display=False) as counter:
        for batch in clips:
            network(batch)
    return counter.get_total_flops()


def measure(runs: dict[str, Callable], options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of every run in every round, after two rounds that do not count."""
    finish = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    seconds = {key: [] for key in runs}
    for _ in range(options.rounds + 2):
        for key, run in runs.items():
            finish()
            start = time.perf_counter()
            run()
            finish()
            seconds[key].append(time.perf_counter() - start)
    return {key: values[2:] for key, values in seconds.items()}


def print_conditions(options: argparse.Namespace) -> None:
    where = (torch.cuda.get_device_name() if options.device == "cuda"
             else f"{platform.processor() or platform.machine()}, {options.threads} thread(s) of "
                  f"{os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    print(f"forward of ST-GCN, {options.width} wide, NTU-25, {CLASSES} classes, batch "
          f"{options.batch}, 2 persons, {options.frames} frames; torch {torch.__version__}, "
          f"{where}; {options.rounds} rounds")


if __name__ == "__main__":
    main()
