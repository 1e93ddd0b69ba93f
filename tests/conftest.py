"""Fixtures that every test may use."""

import gc
import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine, however busy it is; the campaigns of benchmarks/ search on.
settings.register_profile("skelact", derandomize=True, deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("skelact")

# Modules and tests make millions of objects that stay: looking for garbage among them so often
# takes a quarter of the time to collect the tests.
gc.set_threshold(50_000, 20, 20)

# Before torch is imported: two OpenMP teams on two busy cores wait for each other for seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared development data; skips without it, fails where it is required."""
    folder = Path(os.environ.get("SKELACT_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "layouts.json").is_file():
        message = f"no shared data at {folder}; set SKELACT_SHARED to its folder"
        if os.environ.get("SKELACT_REQUIRE_SHARED") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder.resolve()


@pytest.fixture(scope="session")
def browser_options() -> dict:
    """How to start Chromium; skips without it, fails where everything is required."""
    missing = None
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser",
                                                   "google-chrome"))), None)
    if program is None:
        missing = "no Chromium is installed"
    elif importlib.util.find_spec("playwright") is None:
        missing = "Playwright is not installed (`pip install playwright`)"
    if missing is not None:
        if os.environ.get("SKELACT_REQUIRE_SHARED") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return {"executable_path": program, "args": ["--no-sandbox", "--disable-gpu"]}


@pytest.fixture(scope="module")
def no_curves():
    """An empty file stands for the curves, which take a third of the time of a small run."""
    from skelact.output import atomic_write
    from skelact.training import run_folder

    def write(history, path, chosen_epoch=None):
        with atomic_write(path, overwrite=True) as temporary:
            temporary.touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "draw_learning_curves", write)
        yield


@pytest.fixture(scope="module")  # its event loop must not outlive those who need it
def browser(browser_options):
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**browser_options)
        yield started
        started.close()
