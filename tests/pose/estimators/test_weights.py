import http.server
import io
import threading
import zipfile

import pytest

from skelact.errors import WeightsError
from skelact.pose.estimators import weights
from skelact.pose.estimators.weights import (
    DEFAULT_NAME,
    cache_folder,
    find_weights,
    local_weights,
)


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path, monkeypatch):
    """No weights anywhere, and a download address that does not answer."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    monkeypatch.delenv("SKELACT_WEIGHTS", raising=False)
    monkeypatch.delenv("SKELACT_OFFLINE", raising=False)
    monkeypatch.setattr(weights, "RELEASE", "http://127.0.0.1:9/none")


@pytest.fixture
def server(monkeypatch):
    """Answers every request with ``server.body`` and counts them in ``server.asked``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.body) + server.withheld))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("data.pkl", "x" * 5000)
    server.asked, server.body, server.status, server.withheld = [], archive.getvalue(), 200, 0
    monkeypatch.setattr(weights, "RELEASE", f"http://127.0.0.1:{server.server_port}/v1")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    return path


def test_a_file_is_taken_as_given(tmp_path):
    path = touch(tmp_path / "my own.pt")
    assert find_weights(path, offline=True) == path
    assert find_weights(str(path)) == path


def test_the_search_goes_from_the_named_folder_over_here_to_the_cache(tmp_path, monkeypatch):
    cached = touch(cache_folder() / "weights" / DEFAULT_NAME)
    assert local_weights() == cached
    touch(tmp_path / "here" / DEFAULT_NAME)
    assert local_weights().resolve() == tmp_path / "here" / DEFAULT_NAME
    named = touch(tmp_path / "named" / DEFAULT_NAME)
    monkeypatch.setenv("SKELACT_WEIGHTS", str(named.parent))
    assert local_weights() == named
    assert find_weights("yolo11n-pose") == named
    assert find_weights(DEFAULT_NAME).resolve() == tmp_path / "here" / DEFAULT_NAME  # a file wins
    monkeypatch.setenv("SKELACT_WEIGHTS", str(touch(tmp_path / "any name.pt")))
    assert local_weights() == tmp_path / "any name.pt"


def test_without_a_name_other_official_weights_do_as_well(tmp_path):
    touch(tmp_path / "here" / "yolov8s-pose.pt")
    touch(tmp_path / "here" / "private.pt")
    assert find_weights().name == "yolov8s-pose.pt"
    assert local_weights("yolo11x-pose.pt") is None


def test_a_name_that_is_neither_file_nor_official_is_refused(server):
    for name in ("nothing.pt", "sub/yolo11n-pose.pt", "yolo11n.pt"):
        with pytest.raises(WeightsError, match="no weights file at"):
            find_weights(name)
    assert server.asked == []


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_offline_never_asks_the_network(server, by, monkeypatch):
    if by == "environment":
        monkeypatch.setenv("SKELACT_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"downloads are off.*--weights"):
        find_weights(DEFAULT_NAME, offline=by == "argument")
    assert server.asked == []


def test_official_weights_are_fetched_once_and_announced(server, capsys):
    path = find_weights("yolo11n-pose")
    assert path == cache_folder() / "weights" / "yolo11n-pose.pt"
    assert path.read_bytes() == server.body
    announced = capsys.readouterr().err
    assert announced.count("\n") == 1
    assert "downloading" in announced
    assert "AGPL" in announced
    assert find_weights("yolo11n-pose.pt") == find_weights() == path
    assert server.asked == ["/v1/yolo11n-pose.pt"]


def test_a_download_that_fails_says_what_to_do_and_leaves_nothing(server):
    good = server.body
    for spoil in ({"status": 404}, {"body": b"<html>a captive portal</html>"}, {"withheld": 10}):
        vars(server).update({"status": 200, "body": good, "withheld": 0, **spoil})
        with pytest.raises(WeightsError, match=r"cannot download .*--weights FILE"):
            find_weights(DEFAULT_NAME)
        assert list((cache_folder() / "weights").iterdir()) == []


def test_an_unreachable_network_is_a_clear_message():
    with pytest.raises(WeightsError, match="cannot download"):
        find_weights(DEFAULT_NAME)
