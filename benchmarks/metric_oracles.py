"""Every metric against its oracle on many random cases, and what intervals really cover.

1. Cases: the checks of `tests/metric_cases.py` (small cases full of ties, empty and absent
   classes) against scikit-learn, torchmetrics, or a plain loop where no library has the metric.
2. Coverage: tests of models whose true accuracy is known are made up again and again; the share
   of 95 % intervals that hold the truth, and their mean width. Beside ours, of the same clips,
   scipy's percentile and BCa bootstraps over clips or people (fewer repeats; they are slow). With
   2000 repeats a share of 95 % is known to half a point.

    python benchmarks/metric_oracles.py --cases 1000 --repeats 1000
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import scipy
import scipy.stats
import sklearn
import torchmetrics
from interval_cases import Condition, draw_metric, measure_coverage
from metric_cases import CASES

CONDITIONS = {
    "200 clips, accuracy .50": Condition(0.5),
    "200 clips, accuracy .70": Condition(0.7),
    "200 clips, accuracy .85": Condition(0.85),
    "200 clips, accuracy .95": Condition(0.95),
    "200 clips of ten classes, mean class accuracy .70": Condition(0.7, metric="classes"),
    "200 clips, difference of two models": Condition(0.7, metric="difference"),
    "20 people, 20 clips each, accuracy .60": Condition(0.6, 20, 20),
    "20 people, 20 clips each, accuracy .85": Condition(0.85, 20, 20),
    "20 people, 10 to 40 clips each, accuracy .70": Condition(0.7, (10, 40), 20),
    "40 people, 10 to 40 clips each, accuracy .70": Condition(0.7, (10, 40), 40),
    "20 people, 20 clips each, mean class accuracy .70": Condition(0.7, 20, 20, metric="classes"),
    "20 people, 20 clips each, difference": Condition(0.7, 20, 20, metric="difference"),
    "10 people, 20 clips each, accuracy .70": Condition(0.7, 20, 10),
    "5 people, 40 clips each, accuracy .70": Condition(0.7, 40, 5),
    "4 people, 20 to 80 clips each, accuracy .70": Condition(0.7, (20, 80), 4),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1000, help="random cases of each metric")
    parser.add_argument("--repeats", type=int, default=2000, help="made-up tests a condition")
    parser.add_argument("--draws", type=int, default=1000, help="resamplings an interval")
    parser.add_argument("--rival-repeats", type=int, default=0,
                        help="made-up tests a condition for scipy's bootstraps")
    options = parser.parse_args()
    print(f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, "
          f"torchmetrics {torchmetrics.__version__}")
    failed = sum(run_cases(name, check, options.cases) for name, check in CASES.items())
    for name, condition in CONDITIONS.items():
        report_coverage(name, condition, options)
    sys.exit(1 if failed else 0)


def run_cases(name: str, check, cases: int) -> int:
    """How many cases failed."""
    start, failed, first = time.perf_counter(), 0, None
    for case in range(cases):
        try:
            check(np.random.default_rng([case, 7]))
        except AssertionError as error:
            failed, first = failed + 1, first or f"case {case}: {error}"
    print(f"{name:24} {cases - failed} of {cases} agree ({time.perf_counter() - start:.1f} s)",
          flush=True)
    if first:
        print(first)
    return failed


def report_coverage(name: str, condition: Condition, options: argparse.Namespace) -> None:
    share, width = measure_coverage(condition, options.repeats, options.draws)
    line = f"{name:52} ours {share:.1%} (width {width:.3f})"
    for method in ("percentile", "BCa") if options.rival_repeats else ():
        held = [rival_covers(condition, np.random.default_rng([repeat, 5]), options.draws, method)
                for repeat in range(options.rival_repeats)]
        line += f", {method} {np.mean(held):.1%}"
    print(line, flush=True)


def rival_covers(condition: Condition, random, draws: int, method: str) -> bool:
    metric, count, people, other = draw_metric(condition, random)
    people = np.arange(count) if people is None else people
    units = [np.flatnonzero(people == one) for one in np.unique(people)]

    def statistic(chosen):
        rows = np.concatenate([units[one] for one in np.asarray(chosen).astype(int)])
        return metric(rows) - (other(rows) if condition.metric == "difference" else 0.0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BCa of a figure that never varies
        found = scipy.stats.bootstrap((np.arange(len(units)),), statistic, n_resamples=draws,
                                      vectorized=False, method=method, random_state=1)
    interval = found.confidence_interval
    return interval.low - 1e-12 <= condition.truth <= interval.high + 1e-12


if __name__ == "__main__":
    main()
