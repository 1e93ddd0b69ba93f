"""Every network on every skeleton, kept to the whole contract: `tests/contract.py` and exports.

The tests do the same on small networks and one skeleton; this takes about an hour on two cores.
Prints one line a network and skeleton, and what failed; exits with 1 where anything did.

    python benchmarks/model_contract.py --networks stgcn ctrgcn --layouts ntu25 coco17
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import contract

from skelact.config import ClipConfig
from skelact.errors import one_line
from skelact.graph.layouts import builtin_layouts
from skelact.models.checkpoint import NETWORKS, ActionModel
from skelact.models.classifier import SkeletonClassifier
from skelact.models.export import export_model


def main() -> int:
    """Check what was asked for; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--layouts", nargs="+", choices=list(builtin_layouts()),
                        default=list(builtin_layouts()))
    parser.add_argument("--backend", default="inductor", help="of torch.compile")
    parser.add_argument("--only", nargs="+", help="names of checks")
    options = parser.parse_args()
    failures = 0
    for name in options.networks:
        for layout in options.layouts:
            begin = time.perf_counter()
            failed = list(check(name, layout, options.backend, options.only))
            failures += len(failed)
            print(f"{name:<12} {layout:<14} {time.perf_counter() - begin:6.1f} s  "
                  f"{'; '.join(failed) or 'ok'}", flush=True)
    print(f"{failures} failures")
    return int(failures > 0)


def check(name: str, layout: str, backend: str, only: list[str] | None) -> Iterator[str]:
    """What fails, with why."""
    with tempfile.TemporaryDirectory() as folder:
        for title, run in list_checks(Path(folder), backend).items():
            if only and title not in only:
                continue
            try:
                run(contract.build(name, layout))
            except Exception as error:  # a failure of any kind is a finding
                yield f"{title}: {type(error).__name__} {one_line(error)}"


def list_checks(
    folder: Path, backend: str
) -> dict[str, Callable[[SkeletonClassifier], object]]:
    """The checks, by name."""
    return {
        "shapes": contract.check_shapes,
        "gradients": contract.check_gradients,
        "order": contract.check_order,
        "absent": contract.check_absent,
        "absent_in_training": contract.check_absent_in_training,
        "determinism": contract.check_determinism,
        "round_trip": lambda network: contract.check_round_trip(network, folder),
        "half": contract.check_half,
        "compile": lambda network: contract.check_compile(network, backend),
        "onnx": lambda network: export(network, folder / "model.onnx"),
        "pt2": lambda network: export(network, folder / "model.pt2"),
    }


def export(network: SkeletonClassifier, path: Path) -> None:
    """Write it; that fails where the written one scores otherwise."""
    clip = ClipConfig(layout=network.layout.name, dims=3, frames=16)
    export_model(ActionModel(network, contract.CLASSES, clip, network.architecture), path)


if __name__ == "__main__":
    sys.exit(main())
