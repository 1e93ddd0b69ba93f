import numpy as np
import pytest
from recordings import capture, walking

from skelact.pose.recording import Recording
from skelact.visualization.scene import Scene, View, project


def test_people_of_a_frame_are_exact():
    recording = walking(people=2)
    people = Scene(recording).at(recording.timestamps[7])
    assert people.ids == [1, 2]
    for row, track in enumerate(recording):
        np.testing.assert_array_equal(people.joints[row], track.joints[..., 7])
        np.testing.assert_array_equal(people.boxes[row], track.boxes[..., 7])


def test_between_frames_people_are_interpolated():
    recording = walking(fps=5.0, step=10.0)
    people = Scene(recording).at(recording.timestamps[3] + 0.05)  # a quarter of the step
    np.testing.assert_allclose(people.joints[0, :, 0], recording.tracks[0].joints[:, 0, 3] + 2.5,
                               rtol=1e-5)


def test_nobody_before_after_and_in_gaps():
    times = np.r_[np.arange(10) / 25, 2 + np.arange(10) / 25]
    scene = Scene(walking(frames=20, times=times))
    for time in (-1.0, 0.7, 1.9, 99.0):
        assert scene.at(time).ids == []
        assert scene.at(time).joints.shape == (0, 17, 3)
    late = Scene(walking(first=10))
    assert late.at(9 / 25).ids == []
    assert late.at(10 / 25).ids == [1]


def test_nobody_at_all():
    assert Scene(Recording((), [0.0, 0.1], "coco17")).at(0.0).ids == []


def test_a_view_of_the_whole_image_scales_it():
    view = View(walking(size=(320, 200)), longest=640)
    assert view.size == (640, 400)
    placed = view(np.array([[[0.0, 0.0, 0.5], [320.0, 200.0, 0.9]]]))
    np.testing.assert_allclose(placed, [[[0, 0, 0.5], [640, 400, 0.9]]])


@pytest.mark.parametrize("recording", [walking(people=2), capture(),
                                       walking(size=None)], ids=["2-D", "3-D", "no size"])
def test_a_cropped_view_shows_everyone(recording):
    view = View(recording, longest=400, crop=True)
    for track in recording:
        placed = view(track.joints.transpose(2, 0, 1))[..., :2]
        assert (placed > 0).all()
        assert (placed < view.size).all()
    assert max(view.size) == 400
    assert not any(side % 2 for side in view.size)


def test_seen_from_the_sensor_a_persons_left_is_on_the_right():
    recording = capture()
    joints = project(recording.tracks[0].joints[..., 0])
    index = recording.layout.index
    assert joints[index("left_shoulder"), 0] > joints[index("right_shoulder"), 0]
    assert joints[index("left_ankle"), 1] > joints[index("nose"), 1]  # y down
