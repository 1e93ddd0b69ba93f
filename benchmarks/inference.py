"""Networks made ready for inference against the published formulation of each.

The references are `tests/plain_*.py`: 1x1 convolutions, einsums over partitions and joints,
branches one by one, batch norms of their own, contiguous memory, absent persons (zeros) convolved
like the others; they pass the parity fixtures. All have the same weights and clips: NTU-25, made
up, two persons ("dense"), or one in 80 % of the clips ("mix", as in NTU; five batches, so that the
share is exact).

All take turns in this process, in inference mode, on the same threads. Seconds are medians over
the rounds, of one batch; a ratio is the median of the ratios within a round to the reference of
the first line. The machine's rate is that of one large matrix product, which takes its turn too;
its share is what our products (counted by torch) reach of it in the whole time of a forward.

    python benchmarks/inference.py --threads 2
    python benchmarks/inference.py --networks stgcn --device cuda --batch 64 --compile
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
from plain_aa_gcn import PlainAAGCN
from plain_ctr_gcn import PlainCTRGCN
from plain_dg_stgcn import PlainDGSTGCN
from plain_ms_g3d import PlainMSG3D, name_as_pyskl
from plain_st_gcn import PlainSTGCN
from plain_st_gcn_pp import PlainSTGCNPP
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode
from weights import shake

from skelact.graph import Graph, get_layout
from skelact.models.checkpoint import build_network
from skelact.models.classifier import SkeletonClassifier
from skelact.models.inference import for_inference
from skelact.models.published import FAMILIES

CLASSES = 60
WIDTHS = {"stgcn": 64, "stgcnpp": 64, "ctrgcn": 64, "aagcn": 64, "dgstgcn": 64, "msg3d": 96}
"""Published channels of the first layer."""
SECOND = {"dense": 1, "mix": 5}
"""Every so manieth clip shows a second person; so many batches."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
REFERENCE, PRODUCT = "reference", "matrix product"
SIZE = 2048
"""Rows and columns of the matrix product."""


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    print_conditions(options)
    for network in options.networks:
        torch.manual_seed(0)
        plain = make_plain(network, max(round(WIDTHS[network] * options.scale), 1))
        shake(plain)
        calm(plain)
        plain = plain.to(options.device).eval()
        for name, every in SECOND.items():
            report(f"{network}, {name}", plain, make_clips(every, options), options)


def make_plain(network: str, width: int) -> nn.Module:
    """The published formulation on ``[N, M, T, V, C]``, with fresh weights."""
    adjacency = torch.from_numpy(Graph("ntu25", "inward_outward").adjacency.copy()).float()
    bones = (Graph("ntu25", "uniform").adjacency.sum(axis=0) > 0).astype(float)
    return {
        "stgcn": lambda: PlainSTGCN(width, CLASSES),
        "stgcnpp": lambda: PlainSTGCNPP(adjacency, width, CLASSES),
        "ctrgcn": lambda: _FromPublishedOrder(PlainCTRGCN(adjacency, width, CLASSES)),
        "aagcn": lambda: PlainAAGCN("ntu25", width, CLASSES),
        "dgstgcn": lambda: PlainDGSTGCN(25, width, CLASSES),
        "msg3d": lambda: PlainMSG3D(bones, CLASSES, width),
    }[network]()


class _FromPublishedOrder(nn.Module):
    """Takes clips as the others do."""

    def __init__(self, plain: nn.Module):
        super().__init__()
        self.plain = plain

    def forward(self, clips: Tensor) -> Tensor:
        return self.plain(clips.permute(0, 1, 3, 4, 2))


def convert(plain: nn.Module) -> SkeletonClassifier:
    """Our network with the weights of a plain one; it convolves the absent, as published."""
    state = getattr(plain, "plain", plain).state_dict()
    if isinstance(plain, PlainMSG3D):
        state = name_as_pyskl(state)
    elif isinstance(plain, PlainSTGCN):
        state = {f"{'cls_head' if key.startswith('fc_cls') else 'backbone'}.{key}": value
                 for key, value in state.items()}
    reading = next(family.read(state) for family in FAMILIES if family.recognise(state))
    architecture = {"name": reading.network, "arguments": reading.arguments | {"absent": "zeros"}}
    network = build_network(architecture, get_layout("ntu25"))
    network.load_state_dict(reading.weights)
    return network.to(next(plain.parameters()).device).eval()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=list(WIDTHS),
                        default=["stgcn", "stgcnpp", "ctrgcn"])
    parser.add_argument("--batch", type=int, default=8, help="clips")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--scale", type=float, default=1, help="of the published widths")
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


def report(name: str, plain: nn.Module, clips: list[Tensor], options) -> None:
    """Print a line for the reference and each form of ours."""
    theirs = "fp32" if options.device == "cpu" else "fp16"
    ours = convert(plain)
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
    print(f"forward, {options.scale:g} x the published widths, NTU-25, {CLASSES} classes, batch "
          f"{options.batch}, 2 persons, {options.frames} frames; torch {torch.__version__}, "
          f"{where}; {options.rounds} rounds")


if __name__ == "__main__":
    main()
