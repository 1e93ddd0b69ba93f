"""Streaming against the clip network run again at every frame, on one thread.

Two people (NTU-25, 60 classes, published width) move at random; a clip is the last 300 frames. A
round is one clip through the network and then ``--frames`` frames through its streaming form, once
that is filled; rates are compared within a round, and the median of the rounds is printed. The
latency of a frame is over the frames of all rounds. Times are of the wall, with ``--processor`` of
the processor, for a machine that has other work. Multiply-adds are counted from the products that
run. Before that, the scores of both forms without padding are compared.

    python benchmarks/streaming.py
    python benchmarks/streaming.py --rounds 3 --frames 100 --processor
"""

import argparse
import statistics
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from skelact.models.checkpoint import NETWORKS
from skelact.models.classifier import SkeletonClassifier
from skelact.models.streaming import StreamingClassifier, streaming
from skelact.models.unpadded import unpadded

STREAMED = ("stgcn", "stgcnpp", "ctrgcn")


def build(name: str) -> SkeletonClassifier:
    """The network with running statistics of made-up clips, so that its scores say something."""
    torch.manual_seed(0)
    network = NETWORKS[name]("ntu25", 60).train()
    with torch.no_grad():
        network(torch.randn(2, 2, 25, 3, 32))
    return network.eval()


def difference(network: SkeletonClassifier, stream: StreamingClassifier, clip: torch.Tensor):
    """Largest difference of the scores of all frames, relative to the largest score."""
    stream.reset()
    for frame in clip.permute(3, 0, 1, 2):
        scores = stream.step(frame)
    with torch.no_grad():
        expected = unpadded(network)(clip[None])[0]
    return ((scores - expected).abs().max() / expected.abs().max()).item()


def count_products(run) -> float:
    """Multiply-adds of a call."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2


def compare(name: str, options: argparse.Namespace) -> None:
    """Print the figures of one network."""
    network = build(name)
    stream = streaming(network)
    clip = torch.randn(2, 25, 3, options.clip)
    frames = list(clip.permute(3, 0, 1, 2).contiguous())
    worst = difference(network, stream, clip)  # and it is filled now
    of_frame = count_products(lambda: [stream.step(frame) for frame in frames[: stream.stride]])
    of_frame /= stream.stride
    clock = time.thread_time if options.processor else time.perf_counter
    ratios, rates, latencies = [], [], []
    with torch.inference_mode():
        of_clip = count_products(lambda: network(clip[None]))
        for _ in range(options.rounds):
            start = clock()
            network(clip[None])
            whole = clock() - start
            spent = []
            for number in range(options.frames):
                start = clock()
                stream.step(frames[number % len(frames)])
                spent.append(clock() - start)
            latencies += spent
            rates.append(len(spent) / sum(spent))
            ratios.append(whole * rates[-1])
    latencies.sort()
    p50, p99 = (1e3 * latencies[int(share * len(latencies))] for share in (0.5, 0.99))
    print(f"{name:8} clip {of_clip / 1e9:6.2f} G, frame {of_frame / 1e6:6.1f} M multiply-adds: "
          f"{of_clip / of_frame:4.0f} x fewer | {statistics.median(rates):5.0f} frames/s, "
          f"{statistics.median(ratios):4.0f} x | p50 {p50:5.2f} ms, p99 {p99:5.2f} ms | "
          f"difference {worst:.0e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=STREAMED, choices=STREAMED)
    parser.add_argument("--clip", type=int, default=300, help="frames of the clip model")
    parser.add_argument("--frames", type=int, default=200, help="frames streamed a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--processor", action="store_true", help="processor time")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, 2 persons, clip of {options.clip} frames, median "
          f"of {options.rounds} rounds, {'processor' if options.processor else 'wall'} time")
    for name in options.networks:
        compare(name, options)


if __name__ == "__main__":
    main()
