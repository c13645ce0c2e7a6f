"""Debian's Chromium, driven by Playwright; nothing is downloaded but the system's own package."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Open = Callable[..., Page]


def install() -> str | None:
    """Path of Chromium, installed if this is Debian or Ubuntu and root; None where that fails."""
    if found := shutil.which("chromium"):
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "install", "-y", "chromium"]):
        subprocess.run(argv, env=env, check=False, capture_output=True, timeout=280)
    return shutil.which("chromium")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium. Skips where there is none, except in CI, where it must be there."""
    found = install()
    if found is None:
        reason = "no Chromium: as root on Debian or Ubuntu: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the browser checks, but: {reason}")
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium for the tests of a module: while Playwright runs no other event loop can."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a page at a width, light or dark; what it complains about fails the test."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_one(address: str | Path, *, width: int = 1440, scheme: str = "light") -> Page:
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        pages.append(page)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        page.goto(address.as_uri() if isinstance(address, Path) else address)
        return page

    yield open_one
    for page in pages:
        page.close()
    assert not complaints
