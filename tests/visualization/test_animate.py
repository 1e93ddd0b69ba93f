import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recordings import capture, walking
from videos import make_video

from skelact.errors import ChoiceError, OutputExistsError, SkelactError
from skelact.pose.recording import Recording
from skelact.pose.video import VideoReader
from skelact.visualization.animate import contact_sheet, save
from skelact.visualization.colours import LEFT, RIGHT, person_colour


def share_of(image: np.ndarray, colour, tolerance=40) -> float:
    return float((np.abs(image.astype(int) - colour) < tolerance).all(axis=-1).mean())


def read(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("recording", [walking(people=2), capture()], ids=["2-D", "3-D"])
def test_contact_sheet_shows_people(tmp_path, recording):
    image = read(contact_sheet(recording, tmp_path / "sheet.png"))
    assert share_of(image, LEFT) > 1e-3
    assert share_of(image, RIGHT) > 1e-3
    for track in recording:
        assert share_of(image, person_colour(track.track_id)) > 1e-4


def test_a_sheet_of_nobody_says_so(tmp_path):
    nobody = Recording((), np.arange(10) / 10, "coco17", image_size=(64, 48))
    image = read(contact_sheet(nobody, tmp_path / "nobody.png"))
    assert share_of(image, (255, 255, 255), 1) > 0.5
    assert (image < 200).any()  # the words
    assert share_of(image, LEFT, 20) == 0


def test_a_sheet_of_one_frame(tmp_path):
    assert read(contact_sheet(walking(frames=1), tmp_path / "one.png")).size


def test_a_sheet_on_the_video_shows_its_frames(tmp_path):
    green = [np.full((200, 320, 3), (20, 160, 20), np.uint8)] * 30
    video = make_video(tmp_path / "green.mp4", green)
    image = read(contact_sheet(walking(), tmp_path / "sheet.png", video=video))
    assert share_of(image, (20, 160, 20), 12) > 0.3
    with pytest.raises(SkelactError, match="3-D"):
        contact_sheet(capture(), tmp_path / "deep.png", video=video)
    assert not (tmp_path / "deep.png").exists()


@pytest.mark.parametrize("recording", [walking(frames=50), capture(frames=60)], ids=["2-D", "3-D"])
def test_gif_runs_at_the_speed_of_the_recording(tmp_path, recording):
    gif = Image.open(save(recording, tmp_path / "out.gif", progress=False))
    shown = 0
    for i in range(gif.n_frames):
        gif.seek(i)
        shown += gif.info["duration"]
    assert gif.n_frames > 1
    assert shown / 1000 == pytest.approx(recording.duration, abs=0.1)
    assert gif.info["loop"] == 0
    assert share_of(np.asarray(gif.convert("RGB")), LEFT, 60) > 1e-3


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_labels_are_asked_for_and_drawn(tmp_path, suffix):
    def label(track_id, time):
        return "squat" if time >= 0.5 else None

    def last_and_first(path):
        if suffix == ".mp4":
            images = [f.image for f in VideoReader(path)]
            return images[-1], images[0]
        gif = Image.open(path)
        first = np.asarray(gif.convert("RGB"))
        gif.seek(gif.n_frames - 1)
        return np.asarray(gif.convert("RGB")), first

    recording = walking(step=0.0)
    with_labels = save(recording, tmp_path / f"a{suffix}", progress=False, labels=label)
    without = save(recording, tmp_path / f"b{suffix}", progress=False)
    (last, first), (plain_last, plain_first) = last_and_first(with_labels), last_and_first(without)
    tag = person_colour(1)
    assert share_of(last, tag) > 1.5 * share_of(plain_last, tag)
    assert share_of(first, tag) == pytest.approx(share_of(plain_first, tag), rel=0.05)


def test_mp4_has_every_frame_at_its_time(tmp_path):
    times = np.cumsum([0.04, 0.1, 0.03] * 10)
    path = save(walking(times=times), tmp_path / "out.mp4", progress=False)
    assert [f.time for f in VideoReader(path)] == pytest.approx(times, abs=2e-5)


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(ChoiceError, match=r"\.png, \.gif, \.mp4, \.html; got '\.svg'"):
        save(walking(), tmp_path / "out.svg")
    long = walking(frames=40, times=np.arange(40) * 10.0, fps=50.0)
    with pytest.raises(SkelactError, match=r"write an \.mp4"):
        save(long, tmp_path / "out.gif")
    empty = Recording((), [], "coco17")
    with pytest.raises(SkelactError, match="no frames"):
        save(empty, tmp_path / "out.mp4")
    (tmp_path / "out.png").write_text("precious")
    with pytest.raises(OutputExistsError):
        save(walking(), tmp_path / "out.png")
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]


def test_drawing_leaves_pyplot_alone(tmp_path):
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from recordings import walking;"
            "from skelact.visualization.animate import contact_sheet;"
            "contact_sheet(walking(), sys.argv[2]);"
            "sys.exit('matplotlib.pyplot' in sys.modules)")
    tests = str(Path(__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code, tests, tmp_path / "a.png"], check=False)
    assert done.returncode == 0
