"""A file that no format claims is refused with a reason."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from archives import write_utd_mhad

from skelact.datasets.formats import detect_format
from skelact.datasets.prepare import prepare
from skelact.datasets.refusal import why_refused
from skelact.errors import FileFormatError


class Hostile:
    def __reduce__(self):
        return os.system, ("exit 1",)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "hostile.pkl").write_bytes(pickle.dumps(Hostile()))
    (tmp_path / "text.pkl").write_text("hello there")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "none.pkl").write_bytes(pickle.dumps([]))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04abc")
    np.savez(tmp_path / "other.npz", a=np.arange(3), b=np.arange(4))
    np.save(tmp_path / "alone.npy", np.zeros((2, 3)))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    return tmp_path


@pytest.mark.parametrize(("name", "reason"), [
    ("hostile.pkl", r"byte \d+: it calls for (posix|nt)\.system"),
    ("text.pkl", "byte 0: "),
    ("list.pkl", "annotation 0: "),
    ("none.pkl", "without any"),
    ("cut.npz", "damaged: "),
    ("other.npz", "x_train, .*got 'a', 'b'"),
    ("alone.npy", r"NAME_label\.pkl beside it; got \[2, 3\]"),
    ("objects.npy", "expected numbers"),
])
def test_the_reason_is_that_of_the_parser(files, name, reason):
    (files / "only").mkdir()
    only = (files / name).rename(files / "only" / name)
    for path in (only, files / "only"):
        with pytest.raises(FileFormatError, match=reason) as caught:
            detect_format(path)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_reason_is_given_for_a_format_that_is_named(files):
    with pytest.raises(FileFormatError, match=r"no pyskl .*hostile\.pkl: byte .*system"):
        prepare("mine", files / "hostile.pkl", files / "store", "pyskl")
    with pytest.raises(FileFormatError, match=r"no CTR-GCN .*cut\.npz is damaged"):
        prepare("mine", files / "cut.npz", files / "store", "ctrgcn")


def test_nothing_is_said_of_other_files_and_of_several(files, tmp_path):
    assert why_refused(files) is None
    assert why_refused(write_utd_mhad(tmp_path / "utd")) is None
    assert why_refused(tmp_path / "nowhere") is None
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    assert why_refused(tmp_path / "a.zip") is None
