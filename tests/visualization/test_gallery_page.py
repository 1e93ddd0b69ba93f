"""The page of the gallery in a real browser, from ``file://``."""

import json

import numpy as np
import pytest
from pages import settle, until
from recordings import walking
from stores import captures, walkers, write_store

from skelact.cli.main import main
from skelact.cli.store_views import review_store
from skelact.datasets.corrections import apply_corrections, read_corrections
from skelact.datasets.store import Store

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Eight clips of 12 to 19 frames; clip7 repeats clip6."""
    clips = walkers(7)
    twin = walking(18, people=1, step=4, labels={"clip_id": "clip7", "label": "walk", "subject": 7})
    clips[6] = walking(18, people=1, step=4, labels=clips[6].labels)
    return write_store(tmp_path_factory.mktemp("store") / "walkers.store", [*clips, twin])


@pytest.fixture(scope="module")
def gallery(store):
    page, findings = review_store(store.folder, store.folder.parent / "review.html")
    assert (page.clips, page.total) == (8, 8)
    assert [finding.check for finding in findings] == ["duplicates"]
    return page.path


def shown(page):
    return page.evaluate("skelact.gallery.visible().map((card) => card.clip.name)")


def entries(page):
    return json.loads(page.evaluate("skelact.corrections.toText()"))["clips"]


def edit(page, clip):
    page.locator(f".card[aria-label^='{clip},'] .picture").click()
    until(page, "skelact.editor.recording")


def save(page, folder):
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(folder / "corrections.json")
    return folder / "corrections.json"


def pixels(page, card):
    """Bytes of the picture of a card."""
    return page.evaluate(f"skelact.gallery.cards[{card}].canvas.toDataURL()")


def test_clips_play_where_they_are_in_view(visit, gallery):
    page = visit(gallery, motion="no-preference", viewport={"width": 500, "height": 500})
    until(page, "skelact.gallery.cards[0].stage?.draws > 3")
    draws = page.evaluate("skelact.gallery.cards[0].stage.draws")
    until(page, f"skelact.gallery.cards[0].stage.draws > {draws + 5}")
    first = pixels(page, 0)
    until(page, f"skelact.gallery.cards[0].canvas.toDataURL() !== '{first}'")
    far = page.evaluate("skelact.gallery.cards.filter((card) => !card.stage).length")
    assert far > 0
    page.select_option("#play", "one")
    settle(page)
    page.wait_for_timeout(100)
    still = page.evaluate("skelact.gallery.cards[0].stage.draws")
    page.wait_for_timeout(200)
    assert page.evaluate("skelact.gallery.cards[0].stage.draws") == still
    page.locator(".card").first.hover()
    until(page, f"skelact.gallery.cards[0].stage.draws > {still + 3}")


def test_people_are_drawn_where_they_are(visit, gallery, store):
    page = visit(gallery)
    until(page, "skelact.gallery.cards[1].stage?.draws")
    found = page.evaluate("""() => { const { people, view } = skelact.gallery.cards[1].stage;
        people.place(0); return people.each.map(({ points }) => [0, 16].map((n) =>
        [0, 1].map((c) => (points[3 * n + c] - points[c]) / view.scale))); }""")
    step = page.evaluate("skelact.gallery.cards[1].clip.step")
    joints = store.recording(1).joints()[..., 0][:, [0, 16], :2]
    np.testing.assert_allclose(np.array(found) * step, joints - joints[:, :1], atol=1.01 * step)


def test_choosing_and_grouping(visit, gallery):
    page = visit(gallery)
    assert shown(page) == [f"clip{i}" for i in (0, 2, 4, 6, 1, 3, 5, 7)]
    assert page.locator(".group h2").all_text_contents() == ["run 4 clips", "walk 4 clips"]
    page.select_option("#show", "flagged")
    assert shown(page) == ["clip6", "clip7"]
    page.click("#drop-shown")
    assert [entry["clip"] for entry in entries(page)] == ["clip6", "clip7"]
    page.click("#undo")
    assert entries(page) == []
    assert page.locator(".flag", has_text="duplicates").count() == 3  # one in the list above
    page.select_option("#show", "all")
    assert page.locator("#drop-shown").is_hidden()
    page.select_option("#class", "walk")
    assert shown(page) == ["clip1", "clip3", "clip5", "clip7"]
    page.select_option("#class", "")
    page.fill("#find", "subject 3")
    assert shown(page) == ["clip3"]
    page.fill("#find", "subject")
    assert len(shown(page)) == 8
    page.fill("#find", "nowhere")
    assert page.locator("#nothing").is_visible()
    page.fill("#find", "")
    page.select_option("#group", "finding")
    assert page.locator(".group h2").all_text_contents() == ["duplicates 2 clips",
                                                           "no finding 6 clips"]
    page.select_option("#group", "subject")
    assert page.locator(".group h2").count() == 8


def test_corrections_are_saved_and_applied(visit, gallery, store, tmp_path, capsys):
    page = visit(gallery)
    page.locator(".card[aria-label^='clip7,'] button").click()
    edit(page, "clip0")
    page.select_option("#label", "walk")
    page.fill("#note", "she walks")
    page.press("#note", "Tab")
    page.click("#next")
    until(page, "skelact.editor.card.clip.name === 'clip2'")
    page.fill("#first", "3")
    page.press("#first", "Tab")
    page.fill("#last", "9")
    page.press("#last", "Tab")
    page.select_option("#label", "\0new")
    page.fill("#new", "stroll")
    page.press("#new", "Tab")
    page.click("#close")
    assert page.locator("#count").inner_text() == "3 corrections"
    file = save(page, tmp_path)
    assert {entry.pop("clip"): entry for entry in json.loads(file.read_text())["clips"]} == {
        "clip0": {"label": {"from": "run", "to": "walk"}, "note": "she walks"},
        "clip2": {"label": {"from": "run", "to": "stroll"},
                  "trim": {"first": 3, "last": 9, "start": 0.12, "end": 0.4}},
        "clip7": {"drop": True},
    }
    assert main(["data", "apply", str(store.folder), str(file), "-o", str(tmp_path / "new")]) == 0
    out = capsys.readouterr().out
    assert "relabelled    2: run -> walk 1, run -> stroll 1" in out
    assert "dropped       1: 7 of 8 clips are left" in out
    assert main(["data", "validate", str(tmp_path / "new")]) == 0
    assert "no findings" in capsys.readouterr().out
    new = Store(tmp_path / "new")
    assert new.header.classes == ("run", "walk", "stroll")
    np.testing.assert_array_equal(new.recording(2).joints(), store.recording(2).joints()[..., 3:10])


def test_undo_and_keys(visit, gallery):
    page = visit(gallery)
    page.locator("#keys").focus()
    page.keyboard.press("Tab")  # one stop for all clips
    focused = "document.activeElement.card.clip.name"
    assert page.evaluate(focused) == "clip0"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "clip2"
    page.keyboard.press("d")
    assert entries(page) == [{"clip": "clip2", "drop": True}]
    assert "dropped" in page.locator(".card:focus").get_attribute("aria-label")
    page.keyboard.press("Control+z")
    assert entries(page) == []
    page.keyboard.press("Enter")
    until(page, "skelact.editor.recording")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("i")
    assert entries(page)[0]["trim"]["first"] == 2
    page.keyboard.press("n")
    until(page, "skelact.editor.card.clip.name === 'clip4'")
    page.keyboard.press("Escape")
    until(page, "document.activeElement.card?.clip.name === 'clip4'")  # closing takes a moment
    page.click("#undo")
    assert entries(page) == []
    assert page.locator("#undo").is_disabled()


def test_handles_trim_and_never_cross(visit, gallery):
    page = visit(gallery)
    edit(page, "clip5")
    page.evaluate("byId => { const to = document.getElementById('to'); to.value = 8;"
                  "to.dispatchEvent(new Event('input')); to.dispatchEvent(new Event('change')); }")
    assert entries(page)[0]["trim"] == {"first": 0, "last": 8, "start": 0.0, "end": 0.36}
    page.fill("#first", "12")
    page.press("#first", "Tab")
    trim = entries(page)[0]["trim"]
    assert trim["first"] == trim["last"] == 8
    page.fill("#last", "99")
    page.press("#last", "Tab")
    assert entries(page)[0]["trim"]["last"] == 16
    page.fill("#last", "")
    page.press("#last", "Tab")
    assert entries(page)[0]["trim"]["last"] == 16
    page.click("#whole")
    assert entries(page) == []


def test_a_new_class_differs_in_more_than_case(visit, gallery):
    page = visit(gallery)
    for clip, typed, label in (("clip0", " Walk ", {"from": "run", "to": "walk"}),
                               ("clip1", "Jump", {"from": "walk", "to": "Jump"}),
                               ("clip2", "jump", {"from": "run", "to": "Jump"})):
        edit(page, clip)
        page.select_option("#label", "\0new")
        page.fill("#new", typed)
        page.keyboard.press("Escape")
        until(page, "!skelact.editor.card")
        assert entries(page)[-1] == {"clip": clip, "label": label}


def test_long_clips_keep_their_last_frames(visit, tmp_path):
    store = write_store(tmp_path / "store", [walking(1500, step=0.05, labels={
        "clip_id": f"clip{i}", "label": "walk", "subject": i}) for i in (3, 30)])
    page = visit(review_store(store.folder, tmp_path / "page.html")[0].path)
    page.fill("#find", "subject 3")
    assert shown(page) == ["clip3"]
    edit(page, "clip3")
    page.fill("#first", "100")
    page.press("#first", "Tab")
    assert entries(page)[0]["trim"] == {"first": 100, "last": 1499, "start": 4.0, "end": 60.0}


def test_unsaved_work_stays(visit, profile, gallery, tmp_path):
    page = visit(gallery, context=profile)
    page.locator(".card[aria-label^='clip3,'] button").click()
    until(page, "localStorage.getItem(`skelact review ${skelact.corrections.store.fingerprint}`)")
    page.reload()
    until(page, "window.skelact")
    assert entries(page) == [{"clip": "clip3", "drop": True}]
    assert "earlier visit" in page.locator("#restored").inner_text()
    other = visit(gallery, context=profile)
    other.locator(".card[aria-label^='clip4,'] button").click()
    until(page, "skelact.corrections.entries.size === 2")
    file = save(page, tmp_path)
    page.click("#clear")
    assert entries(page) == []
    page.set_input_files("#file", file)
    until(page, "skelact.corrections.entries.size === 2")
    assert len(read_corrections(file).clips) == 2


def test_files_that_do_not_fit_are_refused(visit, gallery, tmp_path):
    page = visit(gallery)
    for content, message in (
            ("no JSON", "cannot be used"), ('{"format": "else"}', "no file of corrections"),
            ('{"format": "skelact corrections", "version": 9}', "version 9"),
            ('{"format": "skelact corrections", "version": 1, "store": {"name": "ntu"}}',
             "of another store, ntu"),
            (json.dumps({"format": "skelact corrections", "version": 1, "store": {
                "fingerprint": Store(gallery.parent / "walkers.store").header.fingerprint}}),
             "has no list of clips")):
        (tmp_path / "file.json").write_text(content)
        page.set_input_files("#file", tmp_path / "file.json")
        until(page, f"document.getElementById('trouble').textContent.includes('{message}')")
        assert entries(page) == []


def test_corrections_of_clips_that_the_page_does_not_show_stay(visit, profile, store, tmp_path):
    some = review_store(store.folder, tmp_path / "a.html", classes=["run"])[0].path
    page = visit(some, context=profile)
    assert shown(page) == ["clip0", "clip2", "clip4", "clip6"]
    page.locator(".card button").first.click()
    until(page, "skelact.corrections.entries.size === 1")
    others = review_store(store.folder, tmp_path / "b.html", classes=["walk"])[0].path
    page = visit(others, context=profile)
    until(page, "skelact.corrections.entries.size === 1")
    assert page.locator("#count").inner_text() == "1 correction, 1 of clips not on this page"
    page.locator(".card button").first.click()
    clips = read_corrections(save(page, tmp_path)).clips
    assert [clip.clip for clip in clips] == ["clip0", "clip1"]


def test_labelled_parts_of_untrimmed_clips(visit, tmp_path):
    annotations = [{"label": "bow", "start": 1.0, "end": 2.0, "track_id": 1},
                   {"label": "wave", "start": 2.0, "end": 3.0}]
    clip = walking(200, people=2, labels={"clip_id": "long", "annotations": annotations})
    store = write_store(tmp_path / "store", [clip])
    page = visit(review_store(store.folder, tmp_path / "page.html")[0].path)
    assert shown(page) == ["long, part 0", "long, part 1"]
    edit(page, "long, part 0")
    assert "frames 0 to 74 of 200" in page.locator("#editor-about").inner_text()
    assert (page.input_value("#first"), page.input_value("#last")) == ("25", "49")
    page.fill("#last", "59")
    page.press("#last", "Tab")
    page.click("#next")
    page.click("#drop")
    page.click("#close")
    done = apply_corrections(store.folder, save(page, tmp_path), tmp_path / "new")
    assert (done.trimmed, done.dropped_parts) == (1, 1)
    assert Store(tmp_path / "new").annotations(0) == [
        {"label": "bow", "start": 1.0, "end": 2.4, "track_id": 1}]


def test_depth_and_narrow_windows(visit, tmp_path):
    store = write_store(tmp_path / "store", captures())
    path = review_store(store.folder, tmp_path / "page.html")[0].path
    page = visit(path, viewport={"width": 400, "height": 800}, color_scheme="dark")
    until(page, "skelact.gallery.cards[0].stage?.draws")
    edit(page, "c0")
    wide = page.evaluate("[document.documentElement.scrollWidth,"
                         " document.getElementById('editor').scrollWidth]")
    assert max(wide) <= 400
