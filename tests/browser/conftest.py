"""A review app on a port of this machine, and a real browser that may go nowhere else."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
import zlib

import pytest
import uvicorn
from workshop import batch_of, many, stories

from resolver.app.reviewing.desk import Desk
from resolver.ledger.reviews import open_review_book
from resolver.web.guard import Admission
from resolver.web.server import create_app

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "a-token-for-tests"  # noqa: S105 - a test's


@pytest.fixture(scope="session")
def chromium():
    if not os.path.exists(CHROMIUM):  # noqa: PTH110 - one question
        pytest.skip("no chromium at /usr/bin/chromium (apt-get install chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


class Site:
    """A served desk. ``stop`` and ``start`` as an operator would, on the same port and ledger."""

    def __init__(self, desk, ledger, arm_ms=0, admission=None):
        self.desk = desk
        self.ledger = ledger
        self.arm_ms = arm_ms
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.admission = admission or Admission("ana", token=TOKEN)
        self.start()

    def start(self):
        app = create_app(self.desk, self.admission, self.arm_ms)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, access_log=False, log_level="error", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(10)

    def restart(self):
        """A new process would read everything from the ledger; so does a new desk."""
        self.stop()
        self.desk = Desk(
            self.desk.batch,
            open_review_book(self.ledger),
            second_share=self.desk.second_share,
            blind_share=self.desk.blind_share,
        )
        self.start()


@pytest.fixture
def build_site(tmp_path):
    sites = []

    def build(  # noqa: PLR0913 - a site in one line of a test
        parts=None, *, url=None, reader=None, admission=None, arm_ms=0
    ):
        ledger = url or str(tmp_path / "ledger.db")
        desk = Desk(
            batch_of(parts if parts is not None else [*stories(), *many(12)]),
            open_review_book(ledger),
            reader=reader,
            second_share=0.0,
            blind_share=0.0,
        )
        site = Site(desk, ledger, arm_ms, admission)
        sites.append(site)
        return site

    yield build
    for site in sites:
        site.stop()


#: How the app is looked at. Each test takes one of them, the same every time; RESOLVER_SOAK=1 takes all.
LOOKS = [(width, theme) for width in (1440, 1024) for theme in ("light", "dark")]


def pytest_generate_tests(metafunc):
    if "look" in metafunc.fixturenames:
        own = zlib.crc32(metafunc.function.__name__.encode()) % len(LOOKS)
        says_its_own = {"width", "theme"} <= set(metafunc.fixturenames)
        looks = LOOKS if os.environ.get("RESOLVER_SOAK") and not says_its_own else [LOOKS[own]]
        metafunc.parametrize("look", looks, ids=[f"{width}-{theme}" for width, theme in looks])


@pytest.fixture
def visit(chromium, look):
    """Opens a page of a site; whatever it asks of another host, and whatever it logs, fails the test.

    Width and theme are the look's, unless the test says its own.
    """
    contexts, faults = [], []

    def open_page(site, path="/", width=look[0], **options):
        options = {"color_scheme": look[1], **options}
        context = chromium.new_context(
            viewport={"width": width, "height": options.pop("height", 900)}, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.expected_faults = []

        def watch(request):
            if not re.match(r"(http://127\.0\.0\.1[:/]|data:)", request.url):
                faults.append(f"request to {request.url}")

        def listen(message):
            if not any(word in message.text for word in page.expected_faults):
                faults.append(f"console: {message.text}")

        page.on("request", watch)
        page.on("console", listen)
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.goto(f"{site.url}/?token={TOKEN}")
        if path != "/":
            page.goto(site.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults
