import contextlib

import numpy as np
import pytest
from PIL import Image, ImageDraw
from recordings import capture, standing, walking
from videos import make_video, set_rotation

from skelact.errors import OutputExistsError, ShapeError, SkelactError
from skelact.graph.layouts import builtin_layouts, get_layout
from skelact.pose.recording import Recording
from skelact.pose.video import VideoReader
from skelact.visualization import draw
from skelact.visualization.colours import CANVAS, LEFT, MIDDLE, RIGHT, person_colour, side_colours
from skelact.visualization.draw import blank, draw_people, overlay_video

COCO = get_layout("coco17")


def close(pixel, colour, tolerance=40) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - colour).max() <= tolerance)


def middle_of(joints: np.ndarray, a: str, b: str) -> tuple[int, int]:
    """Row and column half way along a bone."""
    x, y, _ = (joints[COCO.index(a)] + joints[COCO.index(b)]) / 2
    return round(float(y)), round(float(x))


def plain(joints, **options):
    return draw_people(blank((200, 200)), joints[None], COCO, [1], tags=False, **options)


def test_left_is_blue_and_right_orange():
    joints = standing()
    image = plain(joints)
    assert close(image[middle_of(joints, "left_hip", "left_knee")], LEFT)
    assert close(image[middle_of(joints, "right_hip", "right_knee")], RIGHT)
    by_person = plain(joints, colour_by="person")
    assert close(by_person[middle_of(joints, "left_hip", "left_knee")], person_colour(1))


def test_joints_that_do_not_say_their_side_are_drawn_as_the_middle():
    layout = get_layout("wholebody133")
    colours = dict(zip(layout.joints, side_colours(layout), strict=True))
    assert {colours[f"face-{i}"] for i in range(68)} == {MIDDLE}
    assert (colours["left_thumb1"], colours["right_thumb1"]) == (LEFT, RIGHT)


def test_the_input_stays_as_it_is():
    image, joints = blank((200, 200)), standing()
    draw_people(image, joints[None], COCO, [1], ["run"])
    assert (image == CANVAS).all()
    image.setflags(write=False)
    draw_people(image, joints[None], COCO, [1], ["run"])


def test_missing_and_doubtful_joints_are_left_out():
    joints = standing()
    elbow, knee = COCO.index("left_elbow"), COCO.index("right_knee")
    joints[elbow, :2] = np.nan
    joints[knee, 2] = 0.05
    image = plain(joints)
    full = standing()
    for bone in (("left_shoulder", "left_elbow"), ("right_hip", "right_knee")):
        assert close(image[middle_of(full, *bone)], CANVAS, 3)
    assert close(image[middle_of(full, "left_hip", "left_knee")], LEFT)


def test_confidence_is_opacity():
    row_column = middle_of(standing(), "left_hip", "left_knee")
    distance = []
    for confidence in (0.2, 0.35, 1.0, np.nan):
        joints = standing()
        joints[:, 2] = confidence
        distance.append(np.abs(plain(joints)[row_column].astype(int) - CANVAS).sum())
    assert 0 < distance[0] < distance[1] < distance[2] == distance[3]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e9, 1e30])
def test_absurd_coordinates_draw_nothing(value):
    joints = standing()
    joints[:, :2] = value
    image = draw_people(blank((200, 200)), joints[None], COCO, [1], ["x"])
    assert (image == CANVAS).all()


def test_no_people_is_the_same_image():
    np.testing.assert_array_equal(
        draw_people(blank((50, 40)), np.empty((0, 17, 3)), COCO, []), blank((50, 40))
    )


@pytest.mark.parametrize("name", builtin_layouts())
def test_every_layout_draws(name):
    layout = get_layout(name)
    joints = np.random.default_rng(0).uniform(20, 180, (2, layout.num_joints, 3))
    joints[..., 2] = 0.9
    image = draw_people(blank((200, 200)), joints, name, [3, 12], ["wave", None])
    assert (image != CANVAS).any(axis=-1).mean() > 0.03


def test_tags_have_the_persons_colour_and_stay_inside():
    for left, top in ((5, 0), (195, 150), (-20, 60)):
        joints = standing(left=left, top=top)
        image = draw_people(blank((200, 200)), joints[None], COCO, [2], ["a long action label"],
                            np.array([[left - 20.0, top, left + 20, top + 120]]))
        tag = (np.abs(image.astype(int) - person_colour(2)) < 30).all(axis=-1)
        assert tag.sum() > 500


def test_tags_do_not_cover_each_other():
    joints = np.stack([standing(), standing()])
    image = draw_people(blank((300, 200)), joints, COCO, [1, 2], ["walk", "run"])
    alone = draw_people(blank((300, 200)), joints[1:], COCO, [2], ["run"])
    for image_, track_id in ((image, 1), (image, 2), (alone, 2)):
        tag = (np.abs(image_.astype(int) - person_colour(track_id)) < 30).all(axis=-1)
        assert tag.sum() > 200


@contextlib.contextmanager
def whole_pen(image, places, margin):
    """Draws on all of an image, not on the part where people are."""
    canvas = Image.fromarray(image)
    yield ImageDraw.Draw(canvas, "RGBA"), (0, 0)
    image[:] = np.asarray(canvas)


@pytest.mark.parametrize("boxed", [False, True])
def test_drawing_on_a_part_is_as_on_the_whole(monkeypatch, boxed):
    """People who lie: large, small, across every edge of the image; eighths of pixels are exact."""
    places = ((100.375, 120, 480), (200.5, 700.625, 99), (8, -120, 400), (280, 760, 360),
              (60, 1500.25, 240), (150, 80, 1040))
    joints = np.stack([standing(left=y, top=x, height=long) for y, x, long in places])
    joints = np.round(8 * joints[..., [1, 0, 2]]) / 8
    boxes = np.concatenate([joints[..., :2].min(1), joints[..., :2].max(1)], 1) if boxed else None
    image = np.random.default_rng(0).integers(60, 200, (300, 1600, 3), dtype=np.uint8)
    arguments = (image, joints, COCO, range(6), ["walk", "wave", "run", None, "jog", "sit"], boxes)
    found = draw_people(*arguments)
    monkeypatch.setattr(draw, "_pen", whole_pen)
    expected = draw_people(*arguments)
    assert (expected != image).any(axis=-1).mean() > 0.03
    assert np.abs(found.astype(np.int16) - expected).max() <= 1


@pytest.mark.parametrize("size", [(200, 200), (1600, 1200)])
def test_bones_have_dark_sides_on_a_bright_image(size):
    joints = standing(left=size[0] / 2, top=20, height=0.8 * size[1])
    bright = np.full((size[1], size[0], 3), 250, np.uint8)
    image = draw_people(bright, joints[None], COCO, [1], tags=False).astype(int)
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        row, column = middle_of(joints, f"{side}_hip", f"{side}_knee")
        across = image[row, column - 30 : column + 30]
        bone = np.flatnonzero(np.abs(across - colour).max(axis=1) < 10)
        edges = across[[bone[0] - 1, bone[-1] + 1]]
        assert (edges.max(axis=1) < 160).all()
        assert (np.ptp(edges, axis=1) < 10).all()  # grey, not a tint of the bone
        assert (across[[bone[0] - 3, bone[-1] + 3]] == 250).all()


def test_labels_of_several_lines_are_drawn_in_one():
    one, several = (draw_people(blank((300, 200)), standing()[None], COCO, [1], [label])
                    for label in ("pick up", " pick\r\nup\n"))
    np.testing.assert_array_equal(several, one)


def test_people_keep_their_colour():
    assert person_colour(5) == person_colour(5)
    assert len({person_colour(i) for i in range(24)}) == 24


def test_sides_differ_for_colour_blind_readers():
    # Machado et al. (2009), severity 1: protanopia, deuteranopia, tritanopia.
    views = [[[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
             [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
             [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]]
    for view in views:
        assert np.linalg.norm(np.array(view) @ LEFT - np.array(view) @ RIGHT) > 100


def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"M=2, N=17"):
        draw_people(blank((50, 50)), np.zeros((1, 17, 3)), COCO, [1, 2])
    with pytest.raises(ShapeError, match="'ntu25'"):
        draw_people(blank((50, 50)), np.zeros((1, 17, 3)), "ntu25", [1])


@pytest.fixture
def white(tmp_path):
    """A white video of 30 frames at uneven times."""
    times = np.cumsum([0.04, 0.1, 0.03] * 10)
    images = [np.full((200, 320, 3), 255, np.uint8)] * 30
    return make_video(tmp_path / "white.mp4", images, times=times)


def recording_of(path, **options) -> Recording:
    times = [f.time for f in VideoReader(path)]
    return walking(times=times, source=str(path), **options)


def test_overlay_draws_every_frame_at_its_time(tmp_path, white):
    recording = recording_of(white, first=10)
    asked = []
    output = overlay_video(recording, tmp_path / "out.mp4",
                           labels=lambda i, time: asked.append((i, time)) or "walk")
    frames = list(VideoReader(output))
    assert [f.time for f in frames] == pytest.approx(recording.timestamps, abs=2e-5)
    assert asked == [(1, time) for time in recording.timestamps[10:]]
    for frame in frames:
        dark = np.argwhere(frame.image.min(axis=-1) < 128)
        if frame.index < 10:
            assert not len(dark)
        else:
            column = recording.tracks[0].joints[..., frame.index - 10]
            assert abs(dark[80:, 1].mean() - column[:, 0].mean()) < 40
            bone = middle_of(column, "left_hip", "left_knee")
            assert close(frame.image[bone], LEFT, 60)


def test_skeleton_only_shows_no_pixel_of_the_video(tmp_path, white):
    recording = recording_of(white)
    white.unlink()  # it is not even needed
    output = overlay_video(recording, tmp_path / "out.mp4", skeleton_only=True)
    frames = list(VideoReader(output))
    assert len(frames) == 30
    for frame in frames:
        assert (np.abs(frame.image.astype(int) - CANVAS).max(axis=-1) < 12).mean() > 0.85


def test_overlay_of_a_turned_video_is_upright(tmp_path, white):
    turned = set_rotation(white, tmp_path / "turned.mp4", 90)
    recording = recording_of(turned, size=(200, 320))
    output = overlay_video(recording, tmp_path / "out.mp4")
    assert VideoReader(output).size == (200, 320)


def test_overlay_of_every_second_frame_draws_on_all(tmp_path, white):
    times = [f.time for f in VideoReader(white)]
    even = make_video(tmp_path / "even.mp4", [np.full((200, 320, 3), 255, np.uint8)] * 30)
    recording = walking(frames=15, times=np.arange(15) * 0.08, source=str(even))
    frames = list(VideoReader(overlay_video(recording, tmp_path / "out.mp4")))
    assert len(frames) == len(times)
    assert all((f.image.min(axis=-1) < 128).any() for f in frames[:29])


def test_overlay_refuses_what_does_not_fit(tmp_path, white):
    output = tmp_path / "out.mp4"
    with pytest.raises(SkelactError, match="320x200 pixels, but the recording was made from 64x48"):
        overlay_video(recording_of(white, size=(64, 48)), output)
    with pytest.raises(SkelactError, match="not there"):
        overlay_video(walking(), output)
    with pytest.raises(SkelactError, match="3-D"):
        overlay_video(capture(), output)
    output.write_text("precious")
    with pytest.raises(OutputExistsError):
        overlay_video(recording_of(white), output)
    assert output.read_text() == "precious"
    assert {p.name for p in tmp_path.iterdir()} == {"white.mp4", "out.mp4"}
