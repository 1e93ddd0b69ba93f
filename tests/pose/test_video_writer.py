import numpy as np
import pytest
from videos import grey_images, grey_number, make_video

from skelact.errors import OutputExistsError, ShapeError, SkelactError
from skelact.pose.video import VideoReader, VideoWriter


def write(path, images) -> None:
    with VideoWriter(path, 25, (64, 48)) as writer:
        for image in images:
            writer.write(image)


@pytest.mark.parametrize("fps", [5.0, 24000 / 1001, 25.0, 59.94, 12.3])
def test_frame_rate_survives(tmp_path, fps):
    path = make_video(tmp_path / "clip.mp4", grey_images(30), fps=fps)
    times = [f.time for f in VideoReader(path)]
    assert times == pytest.approx([i / fps for i in range(30)], abs=2e-5)
    assert VideoReader(path).fps == pytest.approx(fps, rel=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_odd_sizes_are_rounded_up(tmp_path, suffix):
    path = make_video(tmp_path / f"odd{suffix}", grey_images(4, size=(65, 49)))
    frames = list(VideoReader(path))
    assert frames[0].image.shape == (50, 66, 3)
    assert [grey_number(f.image[:, -1]) for f in frames] == [0, 1, 2, 3]


def test_it_is_plain_h264(tmp_path):
    import av

    path = make_video(tmp_path / "clip.mp4", grey_images(3))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")  # streams at once


@pytest.mark.parametrize("opacity", [None, 0, 255])
def test_colours_survive(tmp_path, opacity):
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, :32] = 200, 40, 40
    image[:, 32:] = 30, 60, 220
    given = image if opacity is None else np.dstack([image, np.full((64, 64), opacity, np.uint8)])
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 25, (64, 64)) as writer:
        for _ in range(3):
            writer.write(given)
    for frame in VideoReader(path):
        assert np.abs(frame.image[:, 4:28].astype(int) - image[:, 4:28]).max() < 12
        assert np.abs(frame.image[:, 36:60].astype(int) - image[:, 36:60]).max() < 12


@pytest.mark.parametrize("channels", [3, 4])
def test_the_image_may_be_used_again_once_it_is_written(tmp_path, channels):
    canvas = np.empty((48, 64, channels), np.uint8)
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 25, (64, 48)) as writer:
        for image in grey_images(40):
            canvas[..., :3] = image
            writer.write(canvas)
            canvas[:] = 0
    assert [grey_number(f.image) for f in VideoReader(path)] == list(range(40))


def test_an_exception_leaves_nothing(tmp_path):
    def images():
        yield grey_images(1)[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "new" / "clip.mp4", images())
    assert list((tmp_path / "new").iterdir()) == []


def test_no_frame_is_no_video(tmp_path):
    with pytest.raises(SkelactError, match="no frame"):
        write(tmp_path / "clip.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_existing_files_are_kept_unless_asked(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("precious")
    with pytest.raises(OutputExistsError, match="overwrite"):
        VideoWriter(path, 25, (64, 48))
    assert path.read_text() == "precious"
    with VideoWriter(path, 25, (64, 48), overwrite=True) as writer:
        writer.write(grey_images(1)[0])
        assert path.read_text() == "precious"  # until the new one is whole
    assert len(list(VideoReader(path))) == 1


@pytest.mark.parametrize("wrong", [np.zeros((48, 60, 3), np.uint8), np.zeros((48, 64), np.uint8),
                                   np.zeros((48, 64, 3), np.float32)])
def test_wrong_images_are_refused(tmp_path, wrong):
    with pytest.raises(ShapeError, match=r"\[48, 64, 3\] uint8"):
        write(tmp_path / "clip.mp4", [wrong])
    assert list(tmp_path.iterdir()) == []


def test_times_must_rise(tmp_path):
    image = grey_images(1)[0]
    with pytest.raises(SkelactError, match="rising"):
        make_video(tmp_path / "clip.mp4", [image, image], times=[1.0, 1.0])


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(SkelactError, match=r"\.mp4"):
        VideoWriter(tmp_path / "clip.txt", 25, (64, 48))
    with pytest.raises(SkelactError, match="fps > 0"):
        VideoWriter(tmp_path / "clip.mp4", 0, (64, 48))
    with pytest.raises(SkelactError, match="sides"):
        VideoWriter(tmp_path / "clip.mp4", 25, (64, 0))
    with pytest.raises(SkelactError, match="with VideoWriter"):
        VideoWriter(tmp_path / "clip.mp4", 25, (64, 48)).write(grey_images(1)[0])
