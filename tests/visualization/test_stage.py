"""Animations of recordings, and the files made of them."""

import base64
import io
import re
from time import sleep
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.animation import AbstractMovieWriter, FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Line3DCollection
from mpl_toolkits.mplot3d.proj3d import proj_transform
from PIL import Image
from recordings import capture, walking
from videos import make_video

from skelact.errors import ChoiceError, LayoutError, OutputExistsError, SkelactError
from skelact.pose.recording import PoseTrack, Recording
from skelact.pose.video import VideoReader, VideoWriter
from skelact.visualization.animate import animate, save
from skelact.visualization.animation_writer import draw_animation, embed
from skelact.visualization.colours import person_colour
from skelact.visualization.lettering import tag_image


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


def label(track_id: int, time: float) -> str:
    return "squat"


def picture(animation, dpi: int) -> np.ndarray:
    """``[H, W, 3]`` the figure as it is now, drawn by matplotlib."""
    file = io.BytesIO()
    animation._fig.savefig(file, dpi=dpi)
    return np.asarray(Image.open(file).convert("RGB"))


def pixels_of(ax, points, height: int) -> np.ndarray:
    """``[P, 2]`` column and row of points of the axes on a picture of the figure."""
    points = np.asarray(points)
    if points.shape[-1] == 3:
        points = np.stack(proj_transform(*points.T, ax.get_proj())[:2], axis=-1)
    placed = ax.transData.transform(points) * height / ax.figure.bbox.height
    return placed * [1, -1] + [0, height]


def check_tag(image: np.ndarray, track_id: int, head: np.ndarray, dpi: int) -> None:
    """The tag of a track, in letters of 9 points, stands over the head and nowhere else."""
    column, row = head
    tag = tag_image(f"{track_id} squat", round(9 / 72 * dpi), person_colour(track_id))[..., :3]
    high, wide = tag.shape[:2]
    in_colour = (np.abs(image.astype(int) - person_colour(track_id)) <= 2).all(axis=-1)
    rows, columns = np.nonzero(in_colour[: round(row - high / 2)])  # joints have it too, below
    top, left = rows.min(), columns.min()
    assert top + high == pytest.approx(row, abs=1.5)
    assert left + wide / 2 == pytest.approx(column, abs=1.5)
    found = image[top : top + high, left : left + wide].astype(int)
    np.testing.assert_allclose(found, tag, atol=1)


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


def test_tags_name_people_who_need_it():
    recording = walking(people=2, frames=20)
    animation = animate(recording, labels=lambda track_id, time: "squat" if track_id == 2 else None)
    assert [tag.text for tag in show(animation, 5)[2:4]] == ["1", "2 squat"]
    alone = animate(walking(people=1))
    assert len(show(alone, 0)) == 2  # one person without a label needs no tag


@pytest.mark.parametrize("dpi", [100, 200])
@pytest.mark.parametrize("recording", [walking(people=2, frames=20), capture()], ids=["2-D", "3-D"])
def test_labels_stand_above_their_people(recording, dpi):
    animation = animate(recording, labels=label, longest=320)
    for frame in (3, 15):
        show(animation, frame)
        image = picture(animation, dpi)
        for track in recording:
            head = head_of(track.joints[..., frame], recording.dims)
            (place,) = pixels_of(axes_of(animation), [head], len(image))
            check_tag(image, track.track_id, place, dpi)


def head_of(joints: np.ndarray, dims: int) -> np.ndarray:
    """The topmost joint on the axes."""
    if dims == 2:
        return joints[joints[:, 1].argmin(), :2]
    x, y, z = joints[joints[:, 1].argmax()]
    return np.array([x, -z, y])


def test_a_tag_in_a_drawing_stands_above_its_head_too():
    """In SVG the letters have more pixels than units."""
    recording = walking(people=2, frames=20)
    animation = animate(recording, labels=label)
    show(animation, 5)
    file = io.BytesIO()
    animation._fig.savefig(file, format="svg", dpi=144)
    root = ElementTree.fromstring(file.getvalue())
    height = float(root.get("viewBox").split()[3])
    tags = root.findall(".//{http://www.w3.org/2000/svg}image")
    assert len(tags) == 2
    for tag, track in zip(tags, recording, strict=True):
        letters = base64.b64decode(tag.get("{http://www.w3.org/1999/xlink}href").split(",")[1])
        np.testing.assert_array_equal(
            np.asarray(Image.open(io.BytesIO(letters)))[::-1],
            tag_image(f"{track.track_id} squat", 18, person_colour(track.track_id)))
        (place,) = pixels_of(axes_of(animation), [head_of(track.joints[..., 5], 2)], height)
        x, y, wide, high = (float(tag.get(name)) for name in ("x", "y", "width", "height"))
        assert high == pytest.approx(1.35 * 9, abs=1)
        assert 2.5 * high < wide < 6 * high  # "1 squat"
        assert x + wide / 2 == pytest.approx(place[0], abs=1)
        assert high - y == pytest.approx(place[1], abs=1)  # it is turned over: -y is its top


def test_labels_of_several_lines_are_written_in_one():
    recording = walking()
    pictures = []
    for words in ("pick up", " pick\r\nup\n"):
        animation = animate(recording, labels=lambda track_id, time, words=words: words)
        show(animation, 5)
        pictures.append(picture(animation, 100))
    np.testing.assert_array_equal(*pictures)


class Saved(AbstractMovieWriter):
    """What matplotlib's own writers see: the whole figure, drawn anew."""

    def setup(self, fig, outfile, dpi=None):
        self.fig, self.dpi, self.pictures = fig, dpi, []

    def grab_frame(self, **savefig_kwargs):
        file = io.BytesIO()
        self.fig.savefig(file, dpi=self.dpi)
        self.pictures.append(np.asarray(Image.open(file).convert("RGB")))

    def finish(self):
        pass


def draw_ours(animation) -> list[np.ndarray]:
    pictures = []
    draw_animation(animation, lambda image: pictures.append(image[..., :3].copy()))
    return pictures


def draw_theirs(animation) -> list[np.ndarray]:
    writer = Saved()
    animation.save("unused", writer=writer, dpi=animation._fig.dpi)
    return writer.pictures


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
def test_people_follow_a_camera_that_turns(draw):
    recording = capture(frames=3)
    recording.tracks[0].joints[0, 1] += 0.4  # a head above all else, from wherever it is seen
    animation = animate(recording, labels=label)
    ax, show_frame = axes_of(animation), animation._func

    def turn(frame):
        ax.view_init(elev=10 + 5 * frame, azim=70 + 25 * frame)
        return show_frame(frame)

    animation._func = turn
    for frame, image in enumerate(draw(animation)):
        turn(frame)
        joints = recording.tracks[0].joints[..., frame]
        check_tag(image, 1, *pixels_of(ax, [head_of(joints, 3)], len(image)), 100)
        x, y, z = joints.T
        dots = pixels_of(ax, np.stack([x, -z, y], axis=1), len(image)).round().astype(int)
        ankles = dots[[recording.layout.index(f"{side}_ankle") for side in ("left", "right")]]
        for column, row in ankles:  # nothing else is near
            assert np.abs(image[row, column].astype(int) - person_colour(1)).max() <= 2


def test_lines_of_others_are_seen_from_where_the_camera_is():
    """matplotlib projects 3-D artists when it draws the axes whole; we draw those that move."""
    figure = Figure(figsize=(2, 2), dpi=100)
    FigureCanvasAgg(figure)  # a bare one cannot draw what moves alone
    ax = figure.add_subplot(projection="3d")
    ax.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1))
    ax.set_axis_off()
    moving = ax.add_collection(Line3DCollection([], colors="red", linewidths=4), autolim=False)

    def rise(frame):
        moving.set_segments([[(0, 0, frame / 4), (1, 1, frame / 4)]])
        return [moving]

    animation = FuncAnimation(figure, rise, 4, blit=True)
    for ours, theirs in zip(draw_ours(animation), draw_theirs(animation), strict=True):
        assert (theirs[..., 1] < 100).sum() > 100
        np.testing.assert_allclose(ours, theirs, atol=1)


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


def test_pictures_wait_unchanged_for_a_slow_encoder(tmp_path, monkeypatch):
    """The next ones are drawn meanwhile, on the same canvas."""
    write = VideoWriter.write

    def write_late(writer, image, time=None):
        if not writer._count:
            sleep(0.2)
        write(writer, image, time)

    monkeypatch.setattr(VideoWriter, "write", write_late)
    figure = Figure(figsize=(0.64, 0.48), dpi=100)
    animation = FuncAnimation(figure, lambda frame: figure.set_facecolor(str(frame / 10)), 8)
    path = save(animation, tmp_path / "a.mp4", progress=False)
    greys = [frame.image.mean() / 255 for frame in VideoReader(path)]
    assert greys == pytest.approx(np.arange(8) / 10, abs=0.02)


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
