"""Waiting for pages in a real browser."""

from time import monotonic


def until(page, condition):
    """Wait for a condition (Playwright's own way needs `eval`, which the page forbids)."""
    deadline = monotonic() + 20
    while not page.evaluate(f"Boolean({condition})"):
        assert monotonic() < deadline, condition
        page.wait_for_timeout(20)


def settle(page):
    """Until what was asked for is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
