import logging
import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from videos import (
    MATRICES,
    encode,
    grey_images,
    grey_number,
    make_video,
    set_rotation,
    truncate,
    turn_by_hand,
)

from skelact.errors import VideoError
from skelact.pose import video
from skelact.pose.video import VideoReader


def noise(count: int, size: tuple[int, int] = (96, 64)) -> list[np.ndarray]:
    """Images that do not compress away, so that cutting bytes cuts frames."""
    generator = np.random.default_rng(0)
    return list(generator.integers(0, 255, (count, size[1], size[0], 3), np.uint8))


def numbers(reader) -> list[int]:
    return [grey_number(frame.image) for frame in reader]


def container_times(path: Path) -> list[float]:
    import av

    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]


@pytest.fixture
def clip(tmp_path) -> Path:
    return make_video(tmp_path / "clip.mp4", grey_images(40))


def test_frames_come_in_order_with_times(clip):
    reader = VideoReader(clip)
    frames = list(reader)
    assert [grey_number(f.image) for f in frames] == [f.index for f in frames] == list(range(40))
    assert [f.time for f in frames] == pytest.approx([i / 25 for i in range(40)], abs=1e-9)
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.dtype == np.uint8
    assert (reader.fps, reader.size, reader.expected_frames) == (25.0, (64, 48), 40)
    assert reader.duration == pytest.approx(1.6)
    assert (reader.report.decoded, reader.report.expected) == (40, 40)
    assert reader.report.finished
    assert reader.report.message is None


def test_a_reader_iterates_anew(clip):
    reader = VideoReader(clip)
    running = iter(reader)
    next(running)
    assert numbers(reader) == list(range(40))
    assert numbers(reader) == list(range(40))
    assert next(running, None) is None  # the first iteration ended when the second began


@pytest.mark.parametrize(("start", "stop", "stride"),
                         [(0, None, 1), (7, None, 1), (0, 5, 1), (3, 30, 4), (0, 999, 13),
                          (39, None, 1), (0, None, 100)])
def test_range_and_stride(clip, start, stop, stride):
    reader = VideoReader(clip, start, stop, stride)
    frames = list(reader)
    expected = list(range(40))[start:stop:stride]
    assert [f.index for f in frames] == [grey_number(f.image) for f in frames] == expected
    assert [f.time for f in frames] == pytest.approx([i / 25 for i in expected])
    assert reader.expected_frames == reader.report.decoded == len(expected)
    assert reader.report.message is None


def test_skipped_frames_are_not_converted(clip, monkeypatch):
    converted = []
    convert = video.Upright.__call__
    monkeypatch.setattr(video.Upright, "__call__",
                        lambda self, frame: converted.append(1) or convert(self, frame))
    list(VideoReader(clip, start=10, stride=10))
    assert len(converted) == 3


@pytest.mark.parametrize("wrong", [{"start": -1}, {"stride": 0}, {"start": 5, "stop": 5}])
def test_impossible_range_is_refused(clip, wrong):
    with pytest.raises(VideoError, match="0 <= start < stop and stride >= 1"):
        VideoReader(clip, **wrong)


def test_start_beyond_the_end_is_refused(clip, tmp_path):
    with pytest.raises(VideoError, match="start below 40"):
        VideoReader(clip, start=40)
    uncounted = encode(tmp_path / "clip.mkv", grey_images(10))
    with pytest.raises(VideoError, match="no frame 10"):
        list(VideoReader(uncounted, start=10))


@pytest.mark.parametrize("turn", list(MATRICES))
def test_rotation_gives_the_pixels_of_turning_by_hand(tmp_path, turn):
    image = np.zeros((48, 80, 3), np.uint8)
    image[:16, :20] = 255, 0, 0
    image[32:, 60:] = 0, 255, 0
    image[20:30, :40] = np.arange(40)[:, None] * 6
    plain = make_video(tmp_path / "plain.mp4", [image] * 3)
    turned = set_rotation(plain, tmp_path / "turned.mp4", turn)
    reader = VideoReader(turned)
    assert reader.size == turn_by_hand(image, turn).shape[1::-1]
    for before, after in zip(VideoReader(plain), reader, strict=True):
        assert after.image.flags["C_CONTIGUOUS"]
        np.testing.assert_array_equal(after.image, turn_by_hand(before.image, turn))


def test_variable_frame_rate_keeps_the_times(tmp_path):
    times = [0.5, 0.6, 0.9, 1.0, 1.75, 1.76]
    path = make_video(tmp_path / "vfr.mp4", grey_images(6), times=times)
    frames = list(VideoReader(path))
    assert [f.time for f in frames] == pytest.approx(times, abs=2e-5)
    assert [f.time for f in frames] == container_times(path)


def test_avi_is_counted_not_timed(tmp_path):
    path = encode(tmp_path / "clip.avi", grey_images(30), fps=10, codec="mpeg4", bf=2, b=4_000_000)
    frames = list(VideoReader(path))
    assert [grey_number(f.image) for f in frames] == list(range(30))
    assert [f.time for f in frames] == pytest.approx([i / 10 for i in range(30)])
    assert VideoReader(path).expected_frames == 30


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), [
    ("a.mkv", "libx264", "yuv420p10le"), ("a.mp4", "libx265", "yuv420p"),
    ("a.mp4", "libx264", "yuv444p"), ("a.mkv", "libsvtav1", "yuv420p"),
    ("a.webm", "libvpx-vp9", "yuv420p"), ("a.ts", "libx264", "yuv420p"),
    ("a.avi", "mjpeg", "yuvj420p"), ("a.gif", "gif", "rgb8"),
])
def test_codecs_and_containers(tmp_path, name, codec, pix_fmt):
    import av

    if codec not in av.codecs_available:
        pytest.fail(f"this build of PyAV has no {codec}; choose another for the test")
    path = encode(tmp_path / name, grey_images(12), codec=codec, pix_fmt=pix_fmt)
    reader = VideoReader(path)
    frames = list(reader)
    assert [f.index for f in frames] == list(range(12))
    assert all(abs(float(f.image.mean()) - 20 - 4 * f.index) < 20 for f in frames)
    assert np.diff([f.time for f in frames]) == pytest.approx([0.04] * 11, abs=2e-3)
    assert reader.report.message is None


def test_times_keep_the_offset_of_the_container(tmp_path):
    path = encode(tmp_path / "late.ts", grey_images(5))
    times = [f.time for f in VideoReader(path)]
    assert times == container_times(path)
    assert times[0] > 0.0  # this container never starts at zero


@pytest.mark.parametrize("name", ["whole.mp4", "whole.avi", "whole.mkv", "whole.ts"])
def test_truncated_file_gives_what_decodes_and_says_so(tmp_path, caplog, name):
    if name.endswith("mp4"):
        whole = make_video(tmp_path / name, noise(40))
    else:
        whole = encode(tmp_path / name, noise(40), codec="mpeg4")
    cut = truncate(whole, tmp_path / f"cut_{name}", 0.6)
    reader = VideoReader(cut)
    assert VideoReader(whole, strict=True).expected_frames in (40, None)
    with caplog.at_level(logging.WARNING, "skelact"):
        frames = list(reader)
    assert 15 < len(frames) < 30
    for frame, original in zip(frames, VideoReader(whole), strict=False):
        np.testing.assert_array_equal(frame.image, original.image)
    counted = name.endswith(("mp4", "avi"))
    counts = f"{len(frames)} of 40 frames" if counted else f"{len(frames)} frames"
    assert counts in reader.report.message
    assert [r.getMessage() for r in caplog.records] == [reader.report.message]
    with pytest.raises(VideoError, match="frames decode"):
        list(VideoReader(cut, strict=True))


def test_a_gif_cut_off_is_noticed(tmp_path):
    whole = encode(tmp_path / "whole.gif", noise(10), codec="gif", pix_fmt="rgb8")
    assert len(list(VideoReader(whole, strict=True))) == 10
    reader = VideoReader(truncate(whole, tmp_path / "cut.gif", 0.5))
    assert f"{len(list(reader))} frames decode (the file lacks its end)" in reader.report.message


def test_damage_costs_the_frames_up_to_the_next_key_frame(tmp_path):
    whole = encode(tmp_path / "whole.mp4", noise(60), g=10, bf=0, codec="mpeg4")
    data = bytearray(whole.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 6000] = bytes(6000)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    original = {f.time: f.image for f in VideoReader(whole)}
    reader = VideoReader(broken)
    frames = list(reader)
    assert len(frames) < 60
    assert frames[-1].time == pytest.approx(59 / 25)  # it went on after the damage
    assert [f.index for f in frames] == list(range(len(frames)))
    assert f"{len(frames)} of 60" in reader.report.message
    for frame in frames:  # and what it gave is as it was encoded, at its own time
        np.testing.assert_array_equal(frame.image, original[frame.time])
    with pytest.raises(VideoError, match=r"broken\.mp4 is damaged"):
        list(VideoReader(broken, strict=True))


def test_frames_that_an_edit_list_hides_are_not_missed(tmp_path):
    plain = encode(tmp_path / "plain.mp4", grey_images(30), bf=0)
    data = bytearray(plain.read_bytes())
    entry = data.index(b"elst") + 16  # version and flags, count, then the first entry's duration
    ticks = struct.unpack_from(">i", data, data.index(b"mdhd") + 16)[0] // 25
    struct.pack_into(">i", data, entry, struct.unpack_from(">i", data, entry)[0] + 10 * ticks)
    trimmed = tmp_path / "trimmed.mp4"
    trimmed.write_bytes(data)
    reader = VideoReader(trimmed, strict=True)
    assert numbers(reader) == list(range(10, 30))
    assert reader.expected_frames == 20


def test_a_range_before_the_damage_is_clean(tmp_path):
    whole = make_video(tmp_path / "whole.mp4", noise(40))
    cut = truncate(whole, tmp_path / "cut.mp4", 0.6)
    reader = VideoReader(cut, stop=10, strict=True)
    assert len(list(reader)) == 10
    assert reader.report.message is None


def test_what_is_no_video_is_refused(tmp_path, clip):
    cases = {"missing.mp4": "no video at", "empty.mp4": "empty", "folder.mp4": "folder",
             "text.mp4": "does not open", "notes.txt": "text file", "sound.wav": "no video stream",
             "headless.mp4": "does not open|no video stream"}
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "text.mp4").write_text("no video at all\n" * 100)
    (tmp_path / "notes.txt").write_text("shopping list\n" * 100)
    (tmp_path / "headless.mp4").write_bytes(clip.read_bytes()[:40])
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))
    for name, message in cases.items():
        with pytest.raises(VideoError, match=message) as error:
            VideoReader(tmp_path / name)
        assert name in str(error.value)


def test_a_file_without_any_frame_is_refused(tmp_path):
    whole = make_video(tmp_path / "whole.mp4", noise(10))
    header = whole.read_bytes().index(b"mdat") + 40
    (tmp_path / "header.mp4").write_bytes(whole.read_bytes()[:header])
    with pytest.raises(VideoError, match=r"no frame that decodes \(it promises 10\)"):
        VideoReader(tmp_path / "header.mp4")


def test_a_picture_is_one_frame(tmp_path):
    from PIL import Image

    Image.fromarray(grey_images(1)[0]).save(tmp_path / "photo%03d.jpg")
    frames = list(VideoReader(tmp_path / "photo%03d.jpg"))
    assert [f.index for f in frames] == [0]
    assert grey_number(frames[0].image) == 0


def test_a_colon_in_the_name_is_no_protocol(tmp_path):
    path = make_video(tmp_path / "12:30 lunch.mp4", grey_images(3))
    assert numbers(VideoReader(path)) == [0, 1, 2]


def test_closing_early_lets_go(clip):
    with VideoReader(clip) as reader:
        assert next(iter(reader)).index == 0
    assert not reader.report.finished
    assert reader.report.message is None
    clip.unlink()


def test_importing_loads_no_libav():
    code = "import sys, skelact.pose.video; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.shared
def test_every_awkward_video(shared):
    frames = {"av1_video.mkv": 125, "corrupted.mp4": 28, "h264_10bits.mp4": 30,
              "h265_video.mp4": 10, "no_person_yuv444.mp4": 280, "unordered.mov": 4,
              "vfr_no_frame_count.mkv": 65, "video_0.mov": 3, "video_90.mov": 3,
              "video_180.mov": 3, "video_270.mov": 3}
    folder = shared / "videos" / "awkward"
    assert {p.name for p in folder.iterdir()} == set(frames)
    for name, count in frames.items():
        reader = VideoReader(folder / name, stride=7)
        list(reader)
        assert reader.report.decoded == len(range(0, count, 7)), name
        assert (reader.report.message is None) == (name != "corrupted.mp4")


@pytest.mark.shared
def test_the_corrupted_video_says_28_of_50(shared):
    reader = VideoReader(shared / "videos" / "awkward" / "corrupted.mp4")
    assert len(list(reader)) == 28
    assert "28 of 50 frames decode" in reader.report.message
    with pytest.raises(VideoError, match="damaged"):
        list(VideoReader(reader.path, strict=True))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["two_people_1080p_vfr.mp4", "awkward/vfr_no_frame_count.mkv"])
def test_times_equal_the_containers(shared, name):
    path = shared / "videos" / name
    assert [f.time for f in VideoReader(path)] == container_times(path)


@pytest.mark.shared
def test_phone_videos_stand_upright(shared):
    sizes = {0: (568, 320), 90: (320, 568), 180: (568, 320), 270: (320, 568)}
    for turn, size in sizes.items():
        reader = VideoReader(shared / "videos" / "awkward" / f"video_{turn}.mov")
        assert reader.size == size
        assert next(iter(reader)).image.shape == (size[1], size[0], 3)


def test_frames_at_some_times(tmp_path):
    video = make_video(tmp_path / "video.mp4", grey_images(40))
    reader = VideoReader(video)
    for times, numbers in (([0.0, 0.4, 0.4, 1.2], [0, 10, 10, 30]),
                           ([-3.0, 0.415, 0.425, 99.0], [0, 10, 11, 39])):
        assert [grey_number(frame.image) for frame in reader.at(times)] == numbers
    assert list(reader.at([])) == []
    with pytest.raises(VideoError, match="expected rising times"):
        list(reader.at([1.0, 0.5]))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_a_place_late_in_the_file_is_found_without_what_comes_before(tmp_path, suffix, monkeypatch):
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = encode(tmp_path / f"video.{suffix}", grey_images(20, (32, 32)) * 15, codec=codec, g=25)
    whole = [(frame.time, frame.image) for frame in VideoReader(path)]
    decoded = []
    monkeypatch.setattr(video, "FrameClock", counting(video.FrameClock, decoded))
    wanted = (250, 251, 290)
    found = list(VideoReader(path).at([whole[i][0] for i in wanted]))
    for frame, i in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(frame.image, whole[i][1])
    assert len(decoded) < 100 if suffix != "avi" else len(decoded) >= 290


def counting(clock, decoded: list):
    class Counting(clock):
        def time_of(self, *place):
            decoded.append(place)
            return super().time_of(*place)

    return Counting
