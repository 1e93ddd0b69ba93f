import json

import pytest
from crowds import named
from recordings import walking

from skelact.errors import FileFormatError, SkelactError
from skelact.visualization.result import check_result, read_result


def one(**changes):
    """A result of `walking()` with one segment."""
    segment = {"start": 0.1, "end": 0.7, "label": "high_jump", "score": 0.75,
               "top": [["high_jump", 0.75], ["run", 0.2]]} | changes
    return {"duration": 1.2, "tracks": [{"track_id": 1, "segments": [segment]}]}


def test_segments_and_curves_are_what_was_recognized():
    found = check_result(one(), walking())[1]
    assert found["segments"] == [{"start": 0.1, "end": 0.7, "label": "high jump", "score": 0.75,
                                  "top": [["high jump", 0.75], ["run", 0.2]]}]
    assert found["curves"] == {"named": [(0.1, 0.7, 0.75)], "others": [[(0.1, 0.7, 0.2)]]}


def test_segments_come_in_order_of_time_and_people_may_have_none():
    result = named(walking(frames=1000, people=2))
    result["tracks"][0]["segments"].reverse()
    result["tracks"][1]["segments"] = []
    found = check_result(result, walking(frames=1000, people=2))
    starts = [segment["start"] for segment in found[1]["segments"]]
    assert starts == sorted(starts)
    assert len(starts) == 3
    assert found[2] == {"segments": [], "curves": None}


@pytest.mark.parametrize("wrong", [
    {}, {"duration": 1.2}, {"duration": 1.2, "tracks": [5]}, {"duration": 1.2, "tracks": None},
    {"duration": "long", "tracks": []}, {"duration": 1.2, "tracks": [{"track_id": 1}]},
    one(start="0"), one(start=float("nan")), one(end=None), one(start=0.8), one(label=3),
    one(score=1.5), one(score=True), one(top=[["run"]]), one(top=[["run", "fast"]]), one(top=7)])
def test_what_is_no_result_is_refused(wrong):
    with pytest.raises(FileFormatError, match="skelact recognize -o"):
        check_result(wrong, walking())


def test_the_result_of_another_recording_is_refused():
    with pytest.raises(SkelactError, match="it names person 1; "):
        check_result(one(), walking().with_tracks([]))
    with pytest.raises(SkelactError, match=r"lasts 1\.2 s, the recording 4\.0 s"):
        check_result(one(), walking(frames=100))


@pytest.mark.parametrize(("content", "message"), [
    (None, "no result at"), (b"{", "got"), (b"\xff\xfe", "got"), (b"[1]", "holds a list"),
    (b"[" * 100_000, "got")])
def test_unreadable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "result.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        read_result(path)


def test_a_file_is_read(tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(one()))
    assert read_result(path) == one()


def test_scores_of_windows_become_curves_and_what_is_named_stands_out():
    result = one()
    result["tracks"][0]["curves"] = {"edges": [0.0, 0.1, 0.7, 1.2], "labels": ["high_jump"],
                                     "scores": [[0.4, 0.75, None]]}
    assert check_result(result, walking())[1]["curves"] == {
        "named": [(0.1, 0.7, 0.75)], "others": [[(0.0, 0.1, 0.4), (0.1, 0.7, 0.75)]]}
    result["tracks"][0]["curves"]["scores"] = [[0.4]]
    with pytest.raises(FileFormatError):
        check_result(result, walking())
