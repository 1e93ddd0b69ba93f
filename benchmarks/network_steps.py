"""The training step of every network against that of ST-GCN, at the same width.

A step is forward, cross-entropy, backward and SGD with Nesterov momentum on made-up clips (NTU-25,
60 classes, one person each, so that none is absent). The networks take turns in this process, on
the same number of threads. A figure is the processor time of this process (on a GPU: the wall
time after it is done), the median of the rounds; a ratio is the median of the ratios of the
rounds, so that load that comes and goes touches both sides of it.

    python benchmarks/network_steps.py
    python benchmarks/network_steps.py --device cuda --batch 128 --frames 100
"""

import argparse
import statistics
import time

import torch

from skelact.models.checkpoint import NETWORKS

BASELINE = "stgcn"
CLASSES = 60


class Step:
    """A network with its optimiser, ready to step."""

    def __init__(self, name: str, width: int, device: str, dtype: torch.dtype):
        torch.manual_seed(0)
        network = NETWORKS[name]("ntu25", CLASSES, base_channels=width)
        self.network = network.to(device).train()
        self.optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9, nesterov=True)
        self.device, self.dtype = device, dtype

    def __call__(self, clips: torch.Tensor, labels: torch.Tensor) -> float:
        """One step; gives its seconds."""
        cuda = self.device != "cpu"
        clock = time.perf_counter if cuda else time.process_time
        start = clock()
        with torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32):
            scores = self.network(clips)
        loss = torch.nn.functional.cross_entropy(scores.float(), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if cuda:
            torch.cuda.synchronize()
        return clock() - start


def compare(dtype: torch.dtype, options: argparse.Namespace) -> None:
    """Print milliseconds and ratio of every network in one arithmetic."""
    clips = torch.randn(options.batch, 1, 25, 3, options.frames, device=options.device)
    labels = torch.randint(CLASSES, (options.batch,), device=options.device)
    steps = {name: Step(name, options.width, options.device, dtype) for name in NETWORKS}
    seconds = {name: [] for name in steps}
    for turn in range(options.rounds + 2):
        for name, step in steps.items():
            spent = step(clips, labels)
            if turn > 1:  # the first two warm up
                seconds[name].append(spent)
    for name, values in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(values, seconds[BASELINE], strict=True))
        size = sum(p.numel() for p in steps[name].network.parameters())
        print(f"{str(dtype)[6:]:9} {name:8} {size / 1e6:5.2f} M  "
              f"{1e3 * statistics.median(values):8.1f} ms  {ratio:5.2f} x {BASELINE}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    where = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    print(f"torch {torch.__version__}, {where}, {options.threads} threads, {options.batch} clips "
          f"of {options.frames} frames, width {options.width}, {options.rounds} rounds")
    for dtype in (torch.float32, torch.bfloat16):
        compare(dtype, options)


if __name__ == "__main__":
    main()
