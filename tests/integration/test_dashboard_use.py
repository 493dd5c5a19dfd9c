"""The pages of driftflow serve as people use them: acknowledging, leaving, zooming, going astray."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from tests.integration.browser import Open
from tests.integration.served import serving
from tests.service.served import KEYS, READ, WRITE

MODEL = "/models/demo"
SLOW_MS = 30_000
"""How long the first look at a store may take on a machine that is busy."""


@pytest.fixture(scope="module")
def address(drifted_demo: Path) -> Iterator[str]:
    with serving(drifted_demo) as address:
        yield address


def test_who_may_write_acknowledges_and_logs_out(drifted_demo: Path, open_page: Open) -> None:
    with serving(drifted_demo, keys=KEYS) as address, open_page(f"{address}/login?then={MODEL}") as page:
        page.get_by_label("API key").fill(WRITE)
        page.get_by_role("button").click()
        episodes = page.get_by_role("table", name="Open episodes")
        buttons = episodes.get_by_role("button", name="Acknowledge")
        expect(buttons.first).to_be_visible(timeout=SLOW_MS)
        before = buttons.count()
        buttons.first.press("Enter")
        expect(buttons).to_have_count(before - 1, timeout=SLOW_MS)
        expect(episodes).to_contain_text("pipeline, 20", timeout=SLOW_MS)
        page.get_by_role("button", name="Log out pipeline").click()
        page.get_by_label("API key").fill(READ)
        page.get_by_role("button").click()
        page.goto(address + MODEL)
        # Who may only read sees who has seen it, and has no button.
        expect(episodes).to_contain_text("pipeline, 20", timeout=SLOW_MS)
        expect(buttons).to_have_count(0)


def test_an_address_without_a_page_has_a_page_that_says_so(address: str, open_page: Open) -> None:
    with open_page(address) as page:
        answer = httpx2.get(f"{address}/nope", timeout=30)
        assert answer.status_code == 404
        # Shown as text: opening it would count as an error of the console.
        assert "There is no page at /nope." in answer.text
        assert "Not found - driftflow" in answer.text
        expect(page.get_by_role("status")).to_be_visible(timeout=SLOW_MS)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_pages_carry_a_policy_and_programs_do_not_need_one(address: str) -> None:
    policy = "content-security-policy"
    for path in ("/", MODEL, "/nope", "/login"):
        told = httpx2.get(address + path, timeout=30).headers[policy].split("; ")
        assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(told)
        # Nothing from another host is allowed: no directive names one.
        assert not any("//" in each or "*" in each or "https:" in each for each in told)
    assert policy not in httpx2.get(f"{address}/v1/models", timeout=30).headers


def test_the_page_of_routes_asks_no_other_host(address: str, open_page: Open) -> None:
    # The fixture fails where anything else is asked.
    with open_page(f"{address}/docs") as page:
        expect(page.get_by_text("/v1/models", exact=True)).to_be_visible(timeout=SLOW_MS)


def test_a_chart_is_zoomed_with_the_wheel(address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        canvas = page.get_by_role("region", name="Columns in drift").locator("canvas").first
        expect(canvas).to_be_visible(timeout=SLOW_MS)
        before = canvas.evaluate("each => each.toDataURL()")
        canvas.hover()
        page.mouse.wheel(0, -600)
        page.wait_for_function(
            "([each, before]) => each.toDataURL() !== before", arg=[canvas.element_handle(), before]
        )
