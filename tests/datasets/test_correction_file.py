"""Files of corrections that are none, or say what cannot be meant."""

import json

import pytest

from skelact.datasets.correction_file import read_corrections
from skelact.errors import FileFormatError

GOOD = {"format": "skelact corrections", "version": 1,
        "store": {"name": "mine", "fingerprint": "0" * 64}, "new_classes": [], "clips": []}


def read(folder, **fields):
    path = folder / "corrections.json"
    path.write_text(json.dumps(GOOD | fields))
    return read_corrections(path)


def test_an_empty_file_of_corrections_is_one(tmp_path):
    assert read(tmp_path).clips == ()


@pytest.mark.parametrize(("fields", "message"), [
    ({"format": "coco"}, 'expected JSON with "format"'),
    ({"version": 2}, "expected version 1, got 2; update skelact"),
    ({"store": {"fingerprint": "abc"}}, "store.fingerprint to be 64 hex digits"),
    ({"store": []}, "store to be an object"),
    ({"store": {}}, "store.fingerprint to be 64 hex digits; got None"),
    ({"new_classes": [3]}, "new_classes to be names"),
    ({"clips": {}}, "clips to be a list"),
    ({"clips": None}, "clips to be a list; got None"),
    ({"clips": ["a"]}, r"clips\[0\] to be an object"),
    ({"clips": [{"drop": True}]}, r"clips\[0\].clip to be the id of a clip; got None"),
    ({"clips": [{"clip": "a", "delete": True}]}, "no other keys than .*; got 'delete'"),
    ({"clips": [{"clip": "a", "drop": "yes"}]}, r"\(a\).drop to be true or false; got 'yes'"),
    ({"clips": [{"clip": "a", "part": -1}]}, "part to be a number from 0"),
    ({"clips": [{"clip": "a", "part": True}]}, "part to be a number from 0"),
    ({"clips": [{"clip": "a", "note": 1}]}, "note to be text"),
    ({"clips": [{"clip": "a", "note": "\ud800"}]}, "no readable file of corrections"),
    ({"clips": [{"clip": "a", "label": "b"}]}, 'with "from"'),
    ({"clips": [{"clip": "a", "label": {"from": None, "to": " "}}]}, 'with "from"'),
    ({"clips": [{"clip": "a", "trim": {"first": 4, "last": 3}}]}, "a later one, got 4 to 3"),
    ({"clips": [{"clip": "a", "trim": {"first": 0.5, "last": 3}}]}, "frames from 0"),
    ({"clips": [{"clip": "a", "trim": [0, 3]}]}, "frames from 0"),
    ({"clips": [{"clip": "a"}, {"clip": "a", "drop": True}]}, "got several of clip a"),
])
def test_what_cannot_be_meant_is_named(tmp_path, fields, message):
    with pytest.raises(FileFormatError, match=message):
        read(tmp_path, **fields)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"3"])
def test_what_is_no_such_file(tmp_path, content):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"c\.json"):
        read_corrections(tmp_path / "c.json")


def test_a_mark_of_byte_order_is_no_fault(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(GOOD), "utf-8-sig")
    assert read_corrections(tmp_path / "c.json").name == "mine"


def test_no_file(tmp_path):
    with pytest.raises(FileFormatError, match="data review STORE"):
        read_corrections(tmp_path / "gone.json")
