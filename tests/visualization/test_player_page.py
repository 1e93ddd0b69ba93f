"""The page of the player in a real browser, from ``file://``."""

import io
from dataclasses import replace

import numpy as np
import pytest
from crowds import named
from packed import unpack
from pages import settle, until
from PIL import Image
from recordings import capture, walking
from videos import grey_images, make_video

from skelact.visualization import player
from skelact.visualization.packing import pack
from skelact.visualization.player import write_player

pytestmark = pytest.mark.browser

EVIL = ("</script><script>document.title = 'ran'</script>"
        "<img src=x onerror=\"document.title='ran'\">")


@pytest.fixture(scope="module")
def recording():
    return walking(frames=600, people=3, step=0.2, source="walk.mp4")


@pytest.fixture(scope="module")
def walk(recording, tmp_path_factory):
    """24 s of three people who do something every 8 s."""
    path = tmp_path_factory.mktemp("walk") / "walk.html"
    return write_player(recording, path, result=named(recording, every=8.0)).path


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    return write_player(capture(frames=60), tmp_path_factory.mktemp("deep") / "deep.html").path


def time(page):
    return page.evaluate("skelact.time")


def at(page, person, joint):
    """Where a joint is drawn, in pixels of the canvas."""
    settle(page)
    return page.evaluate("""([m, n]) => { const { points } = skelact.stage.people.each[m];
        return Array.from(points.slice(3 * n, 3 * n + 2)); }""", [person, joint])


def test_the_page_unpacks_what_was_packed(visit, recording, tmp_path):
    joints = recording.tracks[1].joints[:, :, 100:260].copy()
    joints[3, :, 20:50] = np.nan
    gone = replace(recording.tracks[1], joints=joints, boxes=None,
                   frame_index=np.r_[5:85, 200:280])
    recording = recording.with_tracks([recording.tracks[0], gone])
    page = visit(write_player(recording, tmp_path / "page.html").path)
    found = page.evaluate("""() => ({times: Array.from(skelact.recording.times),
        tracks: skelact.recording.tracks.map((track) => ({frames: Array.from(track.frames),
        steps: Array.from(track.steps), sure: Array.from(track.sure)}))})""")
    packed = pack(recording)
    times, tracks = unpack(packed, recording)
    np.testing.assert_allclose(found["times"], times, atol=1e-9)
    for track, (places, levels, frames) in zip(found["tracks"], tracks, strict=True):
        assert track["frames"] == frames.tolist()
        np.testing.assert_array_equal(np.reshape(track["sure"], levels.shape), levels)
        steps = np.reshape(track["steps"], places.shape) * packed.step
        steps += np.array(packed.middle)[:, None]
        np.testing.assert_allclose(np.where(np.isnan(places), np.nan, steps), places, atol=1e-6)


def test_joints_are_drawn_where_they_are(visit, walk, recording):
    page = visit(walk, accept="willReadFrequently")  # Chromium's advice for reading pixels
    page.evaluate("skelact.seek(4)")
    width, height = page.evaluate("[canvas.clientWidth, canvas.clientHeight]")
    scale = min(width / 320, height / 200)
    for person, joint in ((0, 0), (2, 16)):
        x, y = recording.tracks[person].joints[joint, :2, 100]
        expected = [width / 2 + (x - 160) * scale, height / 2 + (y - 100) * scale]
        np.testing.assert_allclose(at(page, person, joint), expected, atol=0.1)
        ink = page.evaluate("""([x, y]) => { const ratio = canvas.width / canvas.clientWidth;
            return Array.from(canvas.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data)
        }""", expected)
        assert f"rgb({', '.join(map(str, ink[:3]))})" == page.evaluate(
            "m => JSON.parse(facts.textContent).tracks[m].colour", person)


def test_it_plays_pauses_and_stops_at_the_end(visit, walk):
    page = visit(walk)
    assert (time(page), page.evaluate("skelact.playing")) == (0, False)  # motion is reduced
    page.get_by_role("button", name="Play").click()
    until(page, "skelact.time > 0.5")
    page.get_by_role("button", name="Pause").click()
    stopped = time(page)
    assert stopped == pytest.approx(round(stopped * 25) / 25, abs=1e-3)  # on a frame
    assert page.evaluate("skelact.stage.draws") > 3
    page.wait_for_timeout(100)
    assert time(page) == stopped
    page.select_option("#speed", "8")
    page.evaluate("skelact.seek(23); skelact.play()")
    until(page, "!skelact.playing")
    assert time(page) == pytest.approx(599 / 25)
    page.keyboard.press("r")
    page.evaluate("skelact.play()")
    until(page, "skelact.time > 20")
    until(page, "skelact.time < 5")
    assert page.evaluate("skelact.playing")


def test_it_plays_by_itself_unless_motion_is_to_be_reduced(visit, walk):
    page = visit(walk, motion="no-preference")
    until(page, "skelact.time > 0.2")


def test_keys(visit, walk):
    page = visit(walk)
    starts = page.evaluate("""() => [...document.querySelectorAll(".segment")]
        .map((button) => button.segment.start).sort((a, b) => a - b)""")
    expected = {"ArrowRight": 1 / 25, "ArrowLeft": 0, "l": 5, "j": 0, "End": 599 / 25,
                "Home": 0, "n": starts[0]}
    for key, after in expected.items():
        page.keyboard.press(key)
        assert time(page) == pytest.approx(after, abs=1e-3), key
    page.keyboard.press("n")
    assert time(page) == pytest.approx(starts[1])
    page.keyboard.press("p")
    assert time(page) == pytest.approx(starts[0])
    page.keyboard.press(">")
    page.keyboard.press(">")
    page.keyboard.press("<")
    assert page.evaluate("[skelact.speed, Number(speed.value)]") == [1.5, 1.5]
    page.keyboard.press("Space")
    until(page, "skelact.playing")
    page.keyboard.press("k")
    assert not page.evaluate("skelact.playing")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("End")  # the dialog has the keys now
    assert time(page) < 20
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_a_click_on_a_segment_jumps_there(visit, walk):
    page = visit(walk)
    button = page.locator(".segment").nth(4)
    start = button.evaluate("button => button.segment.start")
    button.click()
    assert time(page) == pytest.approx(start)
    label = button.evaluate("button => button.segment.label")
    settle(page)
    assert label in page.locator("#now").text_content()
    lane = page.locator(".lane .time").first.bounding_box()
    playhead = page.locator("#playhead").bounding_box()
    assert playhead["x"] - lane["x"] == pytest.approx(lane["width"] * start / 24, abs=1.5)


def test_a_click_and_a_drag_on_a_lane_seek(visit, walk):
    page = visit(walk)
    box = page.locator(".lane .time").first.bounding_box()
    x, y = box["x"], box["y"] + box["height"] - 3
    page.mouse.move(x + 0.25 * box["width"], y)
    page.mouse.down()
    assert time(page) == pytest.approx(6, abs=0.1)
    page.mouse.move(x + 0.5 * box["width"], y)
    page.mouse.up()
    page.mouse.move(x + 0.75 * box["width"], y)
    assert time(page) == pytest.approx(12, abs=0.1)
    page.locator("#scrub").fill("750")
    assert time(page) == pytest.approx(18, abs=0.1)
    page.select_option("#zoom", "10")
    settle(page)
    view, head = (page.locator(f).bounding_box() for f in ("#content", "#playhead"))
    assert view["x"] < head["x"] < view["x"] + view["width"]


def test_segments_are_reached_and_left_by_keyboard(visit, walk):
    page = visit(walk)
    page.locator("#scrub").focus()
    page.keyboard.press("Tab")
    first, second = (page.locator(".segment").nth(i).get_attribute("aria-label") for i in (0, 1))
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == first
    assert first.startswith("person 1: ")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == second
    page.keyboard.press("Enter")
    assert time(page) == pytest.approx(
        page.locator(".segment").nth(1).evaluate("button => button.segment.start"))
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused).startswith("person 2: ")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") != "segment"


def test_every_control_has_a_name(visit, walk):
    page = visit(walk)
    tree = page.locator("body").aria_snapshot()
    for name in ("Back one frame", "Play", "Forward one frame", "Speed", "Repeat", "Time",
                 "Timeline", "Skeletons of 3 people", "person 1"):
        assert name in tree


def test_depth_is_turned_by_keys_and_by_dragging(visit, deep):
    page = visit(deep)
    before = at(page, 0, 9)
    page.keyboard.press("Shift+ArrowLeft")
    turned = at(page, 0, 9)
    assert page.evaluate("[skelact.stage.view.turn, skelact.time]") == [30, 0]
    assert abs(turned[0] - before[0]) > 2
    page.keyboard.press("0")
    assert at(page, 0, 9) == before
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 130, steps=4)
    page.mouse.up()
    assert page.evaluate("[skelact.stage.view.turn, skelact.stage.view.tilt]") == [-30, 25]
    page.keyboard.press("+")
    assert page.evaluate("skelact.stage.view.zoom") > 1
    page.get_by_role("button", name="Reset view").click()
    assert at(page, 0, 9) == before


def test_the_first_view_of_depth_is_that_of_the_other_pictures(visit, deep):
    """The project's own projection, up to scale and place."""
    from skelact.visualization.scene import project

    page = visit(deep)
    expected = project(capture(frames=60).tracks[0].joints[:, :, 0])
    found = np.array([at(page, 0, n) for n in range(17)])
    scale = np.ptp(found, axis=0) / np.ptp(expected, axis=0)
    assert scale[0] == pytest.approx(scale[1], rel=0.01)
    np.testing.assert_allclose(found - found.mean(0), (expected - expected.mean(0)) * scale, atol=1)


def filmed(folder):
    """A page of 2 s with a video whose grey tells the frame."""
    video = make_video(folder / "a & b.mp4", grey_images(50))
    recording = walking(frames=50, size=(64, 48))
    return write_player(recording, folder / "page.html", video).path


def grey(page):
    """The grey level of the video frame that is shown."""
    until(page, "!video.seeking && video.readyState > 1")
    settle(page)
    box = page.locator("#stage").bounding_box()
    spot = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] - 20, "width": 4,
            "height": 4}
    return Image.open(io.BytesIO(page.screenshot(clip=spot))).convert("L").getpixel((2, 2))


@pytest.mark.parametrize("inside", [True, False])
def test_the_video_shows_the_frame_of_the_skeletons(visit, tmp_path, monkeypatch, inside):
    if not inside:
        monkeypatch.setattr(player, "LARGEST", 1)
    page = visit(filmed(tmp_path))
    until(page, "video.readyState > 1")
    for frame in (0, 1, 17, 49):
        page.evaluate("time => skelact.seek(time)", frame / 25)
        assert grey(page) == pytest.approx(20 + 4 * frame, abs=3)


def test_the_video_plays_along_where_it_is_wanted(visit, tmp_path):
    page = visit(filmed(tmp_path))
    until(page, "video.readyState > 1")
    page.evaluate("skelact.seek(0); skelact.play()")
    until(page, "skelact.time > 0.6")
    page.keyboard.press("Space")
    assert grey(page) == pytest.approx(20 + 4 * 25 * time(page), abs=4)
    shown = [page.locator("#stage").get_attribute("data-video")]
    for _ in range(2):
        page.keyboard.press("v")
        shown.append(page.locator("#stage").get_attribute("data-video"))
    assert shown == ["under", "beside", "off"]
    page.evaluate("skelact.seek(1.7); skelact.play()")  # without the video it keeps its own time
    until(page, "!skelact.playing && skelact.time > 1.9")


def test_a_browser_that_does_not_let_videos_start_by_themselves(visit, tmp_path):
    page = visit(filmed(tmp_path))
    until(page, "video.readyState > 1")
    page.evaluate("""() => { const refuse = () => Promise.reject(
        new DOMException("ask the user", "NotAllowedError")); video.play = refuse; }""")
    page.evaluate("skelact.play()")
    until(page, "!skelact.playing")
    assert page.get_by_role("button", name="Play").is_visible()


def test_a_video_that_has_gone_is_said(visit, tmp_path, monkeypatch):
    monkeypatch.setattr(player, "LARGEST", 1)
    video = make_video(tmp_path / "gone.mp4", [np.zeros((48, 64, 3), np.uint8)] * 3)
    path = write_player(walking(size=(64, 48)), tmp_path / "page.html", video).path
    video.unlink()
    page = visit(path, accept="ERR_FILE_NOT_FOUND")  # the browser's own complaint
    page.wait_for_selector("#trouble:not([hidden])")
    assert "gone.mp4 has to lie where it was" in page.locator("#trouble").text_content()
    page.evaluate("skelact.play()")
    until(page, "skelact.time > 0.1")


def test_labels_and_names_are_text_and_nothing_else(visit, tmp_path):
    result = {"duration": 1.2, "tracks": [{"track_id": 1, "segments": [
        {"start": 0, "end": 1, "label": EVIL, "score": 1, "top": [[EVIL, 1], [EVIL, 0]]}]}]}
    recording = replace(walking(), source=EVIL.replace("/", "\\"))
    page = visit(write_player(recording, tmp_path / "page.html", result=result).path)
    page.wait_for_timeout(200)
    assert page.title().startswith("<")
    assert page.locator(".segment").text_content() == EVIL
    assert page.locator("img").count() == 0


def test_nobody(visit, tmp_path):
    page = visit(write_player(walking().with_tracks([]), tmp_path / "page.html").path,
                 motion="no-preference")
    assert "Nobody was seen" in page.locator("#legend").text_content()
    assert not page.evaluate("skelact.playing")
    page.keyboard.press("End")
    assert time(page) == pytest.approx(29 / 25)


@pytest.mark.parametrize("recording", [walking(frames=1), capture(frames=1)])
def test_a_single_frame_is_shown_and_can_be_played(visit, tmp_path, recording):
    page = visit(write_player(recording, tmp_path / "page.html").path)
    settle(page)
    assert page.evaluate("skelact.stage.people.count") == 1
    page.keyboard.press("Space")
    until(page, "!skelact.playing")
    assert time(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_overflows(visit, walk, scheme):
    page = visit(walk, color_scheme=scheme, viewport={"width": 360, "height": 640})
    colours = page.evaluate("""() => { const style = getComputedStyle(document.body);
        return [style.color, style.backgroundColor].map((c) => c.match(/\\d+/g).map(Number)); }""")
    ink, paper = (np.mean(colour) for colour in colours)
    assert (ink < 80 and paper > 230) if scheme == "light" else (ink > 200 and paper < 40)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
