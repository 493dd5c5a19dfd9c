"""A real Chromium for tests of pages."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from scripts.local_services.base import ServiceError
from scripts.local_services.packages import program
from tests.integration.services import unavailable

Theme = Literal["light", "dark"]

DESKTOP, PHONE = (1280, 900), (390, 844)
"""Widths and heights of windows, in CSS pixels."""

Open = Callable[..., AbstractContextManager[Page]]
"""Opens a page: its file or address, and as keywords the size of the window and the theme."""


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Start the installed Chromium, without a window; installs it where that can be done."""
    try:
        path = program("chromium", package="chromium")
    except ServiceError as error:
        unavailable("Chromium", str(error), pytestconfig)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Open:
    """Return what opens pages; an error in one, or a request for anything else, fails the test."""

    @contextmanager
    def opened(
        page: Path | str, *, size: tuple[int, int] = DESKTOP, theme: Theme = "light"
    ) -> Iterator[Page]:
        width, height = size
        with (
            chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme) as context,
            context.new_page() as tab,
        ):
            errors, asked = list[str](), list[str]()
            tab.on("pageerror", lambda error: errors.append(str(error)))
            tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
            tab.on("request", lambda request: asked.append(request.url))
            address = page if isinstance(page, str) else page.as_uri()
            tab.goto(address)
            yield tab
            assert errors == []
            if isinstance(page, Path):
                assert asked == [address]
            else:
                # Everything comes from the service itself.
                inside = (f"{urlsplit(address).scheme}://{urlsplit(address).netloc}/", "data:", "blob:")
                assert [each for each in asked if not each.startswith(inside)] == []

    return opened


def shown_span(chart: Locator) -> tuple[float, float]:
    """Ask the chart itself where its axis of time begins and ends now."""
    element = chart.get_by_role("img").get_attribute("id")
    assert element is not None
    extent = chart.page.evaluate(
        "id => getElement(Number(id.slice(1))).chart.getModel().getComponent('xAxis').axis.scale.getExtent()",
        element,
    )
    return float(extent[0]), float(extent[1])
