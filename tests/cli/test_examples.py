import re

import numpy as np
import pytest

from skelact.cli.examples import CREDITS, EXAMPLES, judge
from skelact.pose.files import load_recording


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_what_ships_is_a_pose_file_with_credit(example):
    recording = load_recording(example.file)
    assert recording.tracks
    assert recording.layout.name == "coco17"
    assert re.fullmatch(r"\w+\.(mp4|avi)", recording.source)  # no path of another machine
    credits = CREDITS.read_text()
    assert f"`{example.name}.npz`" in credits
    assert example.credit.split(",")[0].split("/")[-1].split()[-1] in credits


def test_nothing_else_ships_and_all_is_small():
    files = list(CREDITS.parent.iterdir())
    assert {f.name for f in files} == {e.file.name for e in EXAMPLES} | {CREDITS.name}
    assert sum(f.stat().st_size for f in files) < 600_000


def test_the_examples_hold_the_people_that_they_promise():
    people = {e.name: len(load_recording(e.file).tracks) for e in EXAMPLES}
    assert people == {"squats": 1, "right_hand_wave": 1, "bow_nod": 1,
                      "three_people_exercise": 3, "people_come_and_go": 2}
    squats = load_recording(EXAMPLES[0].file)
    hips = np.nanmean(squats.tracks[0].joints[[11, 12], 1], axis=0)
    assert np.ptp(hips) > 0.1 * squats.image_size[1]  # somebody goes up and down


def result(*segments, people=1):
    tracks = [{"start": 0.0, "end": 9.9, "segments": []} for _ in range(people)]
    for label, start, end in segments:
        tracks[0]["segments"].append({"label": label, "start": start, "end": end})
    return {"fps": 10.0, "classes": ["squat", "bowl"], "tracks": tracks}


@pytest.mark.parametrize(("segments", "expected", "good", "line"), [
    ([], None, True, "right: it shows none of the model's 2 actions, and none was named"),
    ([("bowl", 1, 3)], None, False,
     "wrong for 2.0 of 10.0 seconds: it shows none of the model's 2 actions"),
    ([("squat", 0, 8)], "squat", True, "right: squat for 8.0 of 10.0 seconds"),
    ([("squat", 0, 6), ("bowl", 6, 8)], "squat", True,
     "right: squat for 6.0 of 10.0 seconds, something else for 2.0"),
    ([("squat", 0, 6), ("bowl", 6, 9)], "squat", False,
     "wrong: squat for 6.0 of 10.0 seconds, something else for 3.0"),
    ([("squat", 0, 4)], "squat", False, "wrong: squat for 4.0 of 10.0 seconds"),
    ([], "squat", False, "wrong: squat for 0.0 of 10.0 seconds"),
])
def test_a_verdict_counts_seconds(segments, expected, good, line):
    assert judge(result(*segments), expected) == (good, line)


def test_a_verdict_on_several_people_and_on_nobody():
    assert "of 30.0 person-seconds" in judge(result(("bowl", 1, 3), people=3), None)[1]
    assert judge(result(people=0), None) == (False, "wrong: nobody was seen")
