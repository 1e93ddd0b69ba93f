"""The table of formats holds every reader, and tells them apart."""

from pathlib import Path

import pytest
from archives import write_penn_action, write_utd_mhad
from locks import lock

import skelact.datasets.readers
from skelact.datasets.formats import FORMATS, check_name, detect_format, get_format
from skelact.errors import ChoiceError, FileFormatError
from skelact.graph.layouts import builtin_layouts


def test_no_reader_is_left_out():
    folder = Path(skelact.datasets.readers.__file__).parent
    readers = {file.stem for file in folder.glob("*.py")
               if f"\ndef find_{file.stem}(" in file.read_text("utf-8")}
    assert readers == set(FORMATS)
    for name, format_ in FORMATS.items():
        assert format_.find.__name__ == f"find_{name}"
        assert format_.read.__name__ == f"read_{name}"
        assert format_.layout in (*builtin_layouts(), "any", "by the number of joints")


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_folder_holds_no_format(name, tmp_path):
    assert FORMATS[name].find(tmp_path) == []
    with pytest.raises(FileFormatError):
        list(FORMATS[name].read(tmp_path))


def test_formats_are_told_by_content(tmp_path):
    utd = write_utd_mhad(tmp_path / "both" / "utd")
    penn = write_penn_action(tmp_path / "both" / "penn", 2, 1)
    assert detect_format(utd) == "utd_mhad"
    assert detect_format(penn) == "penn_action"
    with pytest.raises(FileFormatError, match=r"utd_mhad \(4\), penn_action \(3\); .*--format"):
        detect_format(tmp_path / "both")
    assert detect_format(tmp_path / "both", prefer="penn_action") == "penn_action"
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match=r"no skeleton data that .*--help.*--from-videos"):
        detect_format(tmp_path / "empty")
    with pytest.raises(FileFormatError, match="no file or folder"):
        detect_format(tmp_path / "nowhere")
    with pytest.raises(ChoiceError, match="a format out of ntu, "):
        get_format("word")


def test_a_format_of_many_files_reads_each_alone(tmp_path):
    """What `by_file` promises: the parts give what the whole gives."""
    raw = write_penn_action(tmp_path / "raw", 3, 2)
    whole = [r.labels for r in FORMATS["penn_action"].read(raw)]
    alone = [r.labels for file in FORMATS["penn_action"].find(raw)
             for r in FORMATS["penn_action"].read(file)]
    assert whole == alone


@pytest.mark.parametrize(("name", "format"), [
    ("nw_ucla", "msr_action3d"), ("ntu60", "msr_action3d"), ("ntu120", "pku_mmd"),
    ("ntu", "nw_ucla"), ("coco", "utd_mhad"), ("ucf101", "penn_action"),
    ("utd_mhad", "kinetics_skeleton"),
])
def test_no_data_set_goes_by_the_name_of_another(name, format):
    with pytest.raises(FileFormatError) as caught:
        check_name(name, format, "raw")
    message = str(caught.value)
    assert message.startswith(f"expected data of {name}")
    assert f"got {FORMATS[format].what}" in message
    assert "raw; name the folder of" in message


@pytest.mark.parametrize(("name", "format"), [
    ("ntu60", "ntu"), ("ntu120", "ntu"), ("ntu", "ntu"), ("nw_ucla", "nw_ucla"),
    ("kinetics_skeleton", "kinetics_skeleton"), ("ntu60", "pyskl"), ("ntu120", "ctrgcn"),
    ("kinetics_skeleton", "stgcn_arrays"), ("ucf101", "coco"), ("penn_action", "pose_folder"),
    ("mine", "utd_mhad"),
])
def test_own_formats_those_for_exchange_and_own_names_fit(name, format):
    check_name(name, format, "raw")


def test_a_folder_without_permission_is_not_called_empty(tmp_path):
    raw = write_utd_mhad(tmp_path / "raw" / "deep").parent
    for locked in (raw, raw / "deep"):
        with lock(locked), pytest.raises(FileFormatError, match=f"no permission to read {locked}"):
            detect_format(raw)
