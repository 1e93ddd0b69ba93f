"""Pages in a real browser, from ``file://``."""

import pytest
from pages import until


@pytest.fixture
def visit(browser):
    """Opens a page file; in the end nothing may have gone wrong or out to the network.

    Pages are read in a private window, or in the ``context`` given.
    """
    contexts, faults = [], []

    def keep(request):
        if not request.url.startswith(("file:", "blob:", "data:")):
            faults.append(f"request of {request.url}")

    def open_(path, motion="reduce", accept="nothing", context=None, **options):
        if context is None:
            context = browser.new_context(reduced_motion=motion, **options)
            contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", keep)
        page.on("console", lambda message: faults.append(message.text)
                if message.type in ("error", "warning") and accept not in message.text else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path.as_uri())
        until(page, "window.skelact")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def profile(browser, browser_options, tmp_path):
    """A browser that keeps what pages store; skips where it keeps nothing of any page."""
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile", reduced_motion="reduce", **browser_options)
    plain = tmp_path / "plain.html"
    plain.write_text("<title>plain</title>")
    page = context.new_page()
    page.goto(plain.as_uri())
    page.evaluate("localStorage.setItem('plain', 'kept')")
    page.goto(plain.as_uri())
    kept = page.evaluate("localStorage.getItem('plain')")
    page.close()
    if kept != "kept":
        context.close()
        pytest.skip("this browser keeps nothing of a plain page of a file")
    yield context
    context.close()
