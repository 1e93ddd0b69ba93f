"""Animations of recordings, and the files made of them."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from recordings import capture, walking
from videos import make_video

from skelact.errors import ChoiceError, LayoutError, OutputExistsError, SkelactError
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import VideoReader
from skelact.visualization.animate import animate, save
from skelact.visualization.animation_writer import draw_animation, embed


def axes_of(animation):
    return animation._fig.axes[0]


def limits(ax) -> list:
    deep = [ax.get_zlim(), ax.azim, ax.elev, tuple(ax._box_aspect)] if ax.name == "3d" else []
    return [ax.get_xlim(), ax.get_ylim(), *deep]


def show(animation, frame: int) -> dict:
    """What moves, as it is in a frame: bones, joints, then trails, tags and film if any."""
    return animation._func(frame)


def lines(artist) -> np.ndarray:
    return artist.ends


def gif_frames(path) -> tuple[int, float]:
    with Image.open(path) as gif:
        seconds = 0.0
        for i in range(gif.n_frames):
            gif.seek(i)
            seconds += gif.info["duration"] / 1000
        return gif.n_frames, seconds


@pytest.mark.parametrize("recording", [walking(people=2, step=5.0), capture()], ids=["2-D", "3-D"])
def test_limits_and_camera_stay_and_scales_are_equal(recording, tmp_path):
    animation = animate(recording, trails=5)
    ax = axes_of(animation)
    before = limits(ax)
    for frame in (0, 7, recording.num_frames - 1):
        show(animation, frame)
        assert limits(ax) == before
    save(animation, tmp_path / "film.mp4", progress=False)
    assert limits(ax) == before
    if recording.dims == 2:
        assert ax.get_aspect() == 1
    else:
        wide = [np.ptp(limit) for limit in before[:3]]
        np.testing.assert_allclose(wide / ax._box_aspect, [wide[0] / ax._box_aspect[0]] * 3)


def test_a_frame_shows_the_joints_of_that_frame():
    recording = walking(people=2, frames=20)
    animation = animate(recording)
    for frame in (3, 19, 0):
        bones, dots = show(animation, frame)[:2]
        joints = recording.joints()[..., frame]
        edges = np.array(recording.layout.drawn_edges)
        np.testing.assert_allclose(lines(bones), joints[:, edges, :2].reshape(-1, 2, 2))
        np.testing.assert_allclose(lines(dots)[:, 0], joints[..., :2].reshape(-1, 2), atol=1e-5)


def test_a_3d_frame_shows_depth():
    recording = capture()
    bones = show(animate(recording), 5)[0]
    x, y, z = np.moveaxis(recording.tracks[0].joints[..., 5], -1, 0)
    ends = np.stack([x, -z, y], axis=1)[np.array(recording.layout.drawn_edges)]
    np.testing.assert_allclose(lines(bones), ends)
    flat = show(animate(recording, dims=2), 5)[0]
    assert lines(flat).shape == (len(ends), 2, 2)


def test_missing_joints_and_people_leave_gaps():
    whole = walking(people=2, frames=20)
    joints = whole.tracks[0].joints.copy()
    joints[9, :, 10] = np.nan
    late = whole.tracks[1]
    late = PoseTrack(2, late.joints[..., 15:], late.frame_index[15:])
    animation = animate(whole.with_tracks([PoseTrack(1, joints, np.arange(20)), late]), trails=4,
                        trailing=["left_wrist"])
    counts = {frame: [len(lines(artist)) for artist in show(animation, frame)[:3]]
              for frame in (9, 10, 12, 16)}
    assert counts == {9: [19, 17, 4], 10: [18, 16, 3], 12: [19, 17, 2], 16: [38, 34, 4 + 1]}


def test_the_less_sure_the_fainter_in_3d_too():
    recording = capture()
    (track,) = recording.tracks
    sure = np.ones((17, len(track)), np.float32)
    sure[9], sure[10] = 0.3, 0.05
    bones = show(animate(recording.with_tracks([PoseTrack(1, track.joints, track.frame_index,
                                                          confidence=sure)])), 0)[0]
    opacity = bones.get_colors()[:, 3]
    assert len(opacity) == 18
    assert np.sort(opacity)[0] < 0.9
    assert (np.sort(opacity)[1:] == 1).all()


def test_trails_fade_and_are_those_of_their_person():
    recording = walking(people=2, frames=20)
    trails = show(animate(recording, trails=4, trailing=["left_wrist"]), 10)[2]
    np.testing.assert_allclose(np.unique(trails.get_colors()[:, 3]), [0.25, 0.5, 0.75, 1])
    newest = lines(trails)[trails.get_colors()[:, 3] == 1][:, 1]
    np.testing.assert_allclose(newest, recording.joints()[:, 9, :2, 10])


def test_labels_stand_above_their_people():
    recording = walking(people=2, frames=20)
    animation = animate(recording, labels=lambda track_id, time: "squat" if track_id == 2 else None)
    tags = show(animation, 5)[2:4]
    assert [tag.text for tag in tags] == ["1", "2 squat"]
    heads = recording.joints()[..., 5][:, :, :2]
    for tag, person in zip(tags, heads, strict=True):
        assert tag.point[1] == pytest.approx(person[:, 1].min())
    alone = animate(walking(people=1))
    assert len(show(alone, 0)) == 2  # one person without a label needs no tag


def test_the_video_is_below_frame_by_frame(tmp_path):
    greys = [np.full((200, 320, 3), 8 * i, np.uint8) for i in range(20)]
    video = make_video(tmp_path / "greys.mp4", greys)
    animation = animate(walking(frames=20), video=video)
    for frame in (0, 4, 19, 4):  # also back to one that is gone by
        film = show(animation, frame)[-1]
        assert np.median(film.get_array().data) == pytest.approx(8 * frame, abs=4)
    assert axes_of(animation).get_xlim() == (0, 320)
    assert axes_of(animation).get_ylim() == (200, 0)


@pytest.mark.parametrize("recording", [walking(frames=25, fps=25.0, people=2), capture(frames=12)],
                         ids=["2-D", "3-D"])
def test_an_mp4_has_every_frame_at_its_rate_and_size(recording, tmp_path):
    animation = animate(recording)
    path = save(animation, tmp_path / "film.mp4", progress=False)
    with VideoReader(path) as reader:
        frames = list(reader)
        assert reader.fps == pytest.approx(recording.fps, rel=1e-3)
        assert reader.size == tuple(animation._fig.bbox.size.astype(int))
    assert len(frames) == recording.num_frames
    assert [f.time for f in frames] == pytest.approx(recording.timestamps, abs=1e-3)


@pytest.mark.parametrize("recording", [walking(people=2), capture()], ids=["2-D", "3-D"])
def test_a_picture_looks_as_matplotlib_draws_it(recording, tmp_path):
    animation = animate(recording, trails=5)
    pictures = []
    draw_animation(animation, lambda image: pictures.append(image[..., :3].copy()))
    for frame in (0, 12):
        show(animation, frame)
        animation._fig.savefig(tmp_path / "theirs.png", dpi=animation._fig.dpi)
        theirs = np.asarray(Image.open(tmp_path / "theirs.png").convert("RGB"))
        assert len(np.unique(theirs.reshape(-1, 3), axis=0)) > 50
        np.testing.assert_allclose(pictures[frame], theirs, atol=1)


def test_any_matplotlib_animation_is_saved(tmp_path):
    """Also one that redraws everything: the title moves."""
    from matplotlib.animation import FuncAnimation

    figure = Figure(figsize=(2, 1.5), dpi=100)
    ax = figure.add_subplot()
    (line,) = ax.plot([0, 1], [0, 1])

    def rise(frame):
        ax.set_facecolor((frame / 8, 0, 0))
        line.set_ydata([0, frame])

    path = save(FuncAnimation(figure, rise, 8, interval=100), tmp_path / "a.mp4", progress=False)
    frames = list(VideoReader(path))
    assert len(frames) == 8
    assert [f.time for f in frames] == pytest.approx(np.arange(8) / 10, abs=1e-3)
    assert frames[7].image[..., 0].mean() > frames[0].image[..., 0].mean() + 30


def test_a_gif_runs_at_the_speed_of_the_animation(tmp_path):
    recording = walking(frames=30, fps=30.0)
    count, seconds = gif_frames(save(animate(recording), tmp_path / "a.gif", progress=False))
    assert count == 30
    assert seconds == pytest.approx(1.0, abs=0.02)
    count, seconds = gif_frames(save(animate(recording, fps=10.0), tmp_path / "b.gif",
                                     progress=False))
    assert count == 10
    assert seconds == pytest.approx(1.0, abs=0.02)
    fast = walking(frames=60, fps=100.0)
    count, seconds = gif_frames(save(animate(fast), tmp_path / "c.gif", progress=False))
    assert count == 30  # browsers show no more than 50 a second
    assert seconds == pytest.approx(0.6, abs=0.02)


def test_a_page_holds_the_film(tmp_path):
    animation = animate(walking(frames=10))
    page = save(animation, tmp_path / "film.html", progress=False).read_text("utf-8")
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert 'src="data:video/mp4;base64,' in embed(animation)
    played = save(walking(frames=10), tmp_path / "player.html").read_text("utf-8")
    assert "<canvas" in played


def test_uneven_times_are_shown_at_their_speed():
    times = np.cumsum([0.04, 0.12, 0.02] * 10)
    animation = animate(walking(times=times, step=10.0, fps=25.0))
    count = len(list(animation.new_frame_seq()))
    assert count == round((times[-1] - times[0] + 0.04) * 25)


def test_own_axes_are_used():
    figure = Figure()
    ax = figure.add_subplot()
    animation = animate(walking(), ax=ax)
    assert axes_of(animation) is ax
    assert len(show(animation, 0)[0].get_segments()) == 19


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ChoiceError, match="dims to be one of 2; got 3"):
        animate(walking(), dims=3)
    with pytest.raises(ChoiceError, match="fps above 0"):
        animate(walking(), fps=-1.0)
    with pytest.raises(ChoiceError, match="trails of 0 or more"):
        animate(walking(), trails=-1)
    with pytest.raises(LayoutError, match="no joint 'tail'"):
        animate(walking(), trailing=["tail"])
    with pytest.raises(SkelactError, match="no frames"):
        animate(Recording((), [], "coco17"))
    with pytest.raises(SkelactError, match="3-D recording has no pixels"):
        animate(capture(), video=tmp_path / "film.mp4")
    animation = animate(walking(frames=5))
    with pytest.raises(ChoiceError, match=r"\.gif, \.mp4, \.html; got '\.png'"):
        save(animation, tmp_path / "a.png")
    with pytest.raises(SkelactError, match="video and labels in animate"):
        save(animation, tmp_path / "a.mp4", video="film.mp4")
    with pytest.raises(SkelactError, match="labels are drawn in"):
        save(walking(), tmp_path / "a.html", labels=lambda *_: "squat")
    (tmp_path / "a.mp4").write_text("precious")
    with pytest.raises(OutputExistsError):
        save(animation, tmp_path / "a.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
