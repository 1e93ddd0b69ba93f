"""Pages in a real browser, from ``file://``."""

import pytest
from pages import until


@pytest.fixture
def visit(browser):
    """Opens a page file; in the end nothing may have gone wrong or out to the network."""
    contexts, faults = [], []

    def keep(request):
        if not request.url.startswith(("file:", "blob:", "data:")):
            faults.append(f"request of {request.url}")

    def open_(path, motion="reduce", accept="nothing", **options):
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
