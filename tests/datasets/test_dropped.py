"""What could not be used is counted by kind, printed in part and kept whole."""

from skelact.datasets.dropped import (
    DroppedClip,
    count_failed,
    describe_dropped,
    read_dropped,
    write_dropped,
)
from skelact.errors import EmptyClipError, FileFormatError

EMPTY = DroppedClip.by(EmptyClipError("a.txt: all zeros"), "a.txt")
FAILED = DroppedClip.by(FileFormatError("b.txt: cut,\nshort"), "b.txt")


def test_a_clip_that_shows_nobody_is_no_failure():
    assert (EMPTY.kind, FAILED.kind) == ("empty", "failed")
    assert count_failed([EMPTY, FAILED, EMPTY]) == 1


def test_failures_are_said_first():
    assert describe_dropped([]) == []
    assert describe_dropped([EMPTY, FAILED]) == [
        "2 dropped (1 failed, 1 showing nobody):", "  failed: b.txt: cut,\nshort",
        "  empty: a.txt: all zeros"]


def test_ten_are_said_where_a_file_lists_all():
    lines = describe_dropped([FAILED] * 12, "store/dropped.csv")
    assert lines[0] == "12 dropped (12 failed), listed with the reason in store/dropped.csv:"
    assert len(lines) == 12
    assert lines[-1] == "  ... and 2 more"
    assert len(describe_dropped([FAILED] * 12)) == 13


def test_the_table_keeps_all(tmp_path):
    write_dropped([EMPTY, FAILED], tmp_path / "dropped.csv")
    assert read_dropped(tmp_path / "dropped.csv") == [EMPTY, FAILED]
    assert (tmp_path / "dropped.csv").read_text().startswith("source,reason,kind\n")
