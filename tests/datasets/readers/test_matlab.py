"""MATLAB and JSON files that are too large, before they are in memory."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.io import savemat

from skelact.datasets.readers.each_clip import MAX_JSON, load_json
from skelact.datasets.readers.matlab import load_matlab
from skelact.errors import FileFormatError

_PEAK = """
import resource, sys
from pathlib import Path
from skelact.datasets.readers.matlab import load_matlab
from skelact.errors import FileFormatError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_matlab(Path(sys.argv[1]), "d_skel")
except FileFormatError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


def bomb(kind: str):
    zeros = np.zeros((20, 3, 600_000))  # 288 MB
    if kind == "numbers":
        return zeros
    cell = np.empty(1, object)
    cell[0] = zeros
    return cell


@pytest.mark.parametrize("kind", ["numbers", "cell"])
def test_a_small_file_of_much_memory_is_refused_before_it_is_unpacked(tmp_path, kind):
    file = tmp_path / "a.mat"
    savemat(file, {"d_skel": bomb(kind)}, do_compression=True)
    assert file.stat().st_size < 1e6
    out = subprocess.run([sys.executable, "-c", _PEAK, str(file)], check=True, text=True,
                         capture_output=True).stdout
    kilobytes, message = out.split(" ", 1)
    assert int(kilobytes) < 64_000
    assert "at most 67108864 bytes unpacked" in message


@pytest.mark.parametrize("options", [{"do_compression": True}, {}, {"format": "4"}])
def test_only_the_named_variables(tmp_path, options):
    savemat(tmp_path / "a.mat", {"x": np.eye(3), "y": np.ones(4)}, **options)
    content = load_matlab(tmp_path / "a.mat", "x")
    np.testing.assert_array_equal(content["x"], np.eye(3))
    assert "y" not in content


def test_json_above_the_bound_is_refused_unread(tmp_path):
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"a": [1]}))
    assert load_json(file) == {"a": [1]}
    with open(file, "r+b") as stream:
        stream.truncate(MAX_JSON + 1)  # takes no room on the disk
    with pytest.raises(FileFormatError, match=r"expected JSON of at most .* cut the recording"):
        load_json(file)
