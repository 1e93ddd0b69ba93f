"""Every metric against its oracle, on a slice of the cases of benchmarks/metric_oracles.py."""

import numpy as np
import pytest
from metric_cases import CASES


@pytest.mark.parametrize("metric", CASES)
def test_random_cases_agree_with_the_oracle(metric):
    for case in range(40):
        CASES[metric](np.random.default_rng([case, 7]))
