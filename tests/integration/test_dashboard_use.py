"""The pages of driftflow serve as people use them: acknowledging, leaving, zooming, going astray."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from tests.integration.browser import Open, Theme, shown_span
from tests.integration.served import serving
from tests.service.served import KEYS, READ, WRITE

MODEL = "/models/demo"
SLOW_MS = 30_000
"""How long the first look at a store may take on a machine that is busy."""

PAPERS: tuple[tuple[Theme, str], ...] = (("light", "#5b6675"), ("dark", "#a0acba"), ("light", "#5b6675"))
"""There and back, with the quiet inks of dashboard.css."""


@pytest.fixture(scope="module")
def address(own_demo: Path) -> Iterator[str]:
    with serving(own_demo) as address:
        yield address


def test_who_may_write_acknowledges_and_logs_out(own_demo: Path, open_page: Open) -> None:
    with serving(own_demo, keys=KEYS) as address, open_page(f"{address}/login?then={MODEL}") as page:
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
        chart = page.get_by_role("region", name="Columns in drift")
        expect(chart.locator("canvas").first).to_be_visible(timeout=SLOW_MS)
        before = shown_span(chart)
        chart.locator("canvas").first.hover()
        page.mouse.wheel(0, -600)
        until_s = time.monotonic() + SLOW_MS / 1_000
        while (after := shown_span(chart)) == before:
            assert time.monotonic() < until_s, "the axis does not change"
            page.wait_for_timeout(50)
        # What is shown now is a part of what was shown before.
        assert before[0] <= after[0] < after[1] <= before[1]
        assert after[1] - after[0] < before[1] - before[0]


def test_charts_follow_the_paper_under_an_open_page(address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        chart = page.get_by_role("region", name="Columns in drift")
        expect(chart.locator("canvas").first).to_be_visible(timeout=SLOW_MS)
        for theme, ink in PAPERS:
            page.emulate_media(color_scheme=theme)
            page.wait_for_function(
                "([id, ink]) => getElement(Number(id.slice(1))).chart.getOption().textStyle.color === ink",
                arg=[chart.get_by_role("img").get_attribute("id"), ink],
                timeout=SLOW_MS,
            )


def test_tables_are_sorted_from_the_keyboard_and_stay_so(address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        columns = page.get_by_role("table", name="Columns", exact=True)
        head = columns.get_by_role("columnheader", name="effect (PSI)")
        button = head.get_by_role("button")
        expect(button).to_be_visible(timeout=SLOW_MS)
        button.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        effects = [float(text) for text in columns.locator("tbody td:nth-child(3)").all_inner_texts()]
        # Twelve columns of a payment model, as the demo itself says.
        assert len(effects) == 12
        assert effects == sorted(effects)
        button.press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        # Another choice draws all of it anew: other rows, in the order that was asked for.
        page.get_by_role("combobox", name="Shown").click()
        page.get_by_role("option", name="last 48 windows").click()
        expect(columns.get_by_role("columnheader", name="effect (PSI)")).to_have_attribute(
            "aria-sort", "descending", timeout=SLOW_MS
        )
        effects = [float(text) for text in columns.locator("tbody td:nth-child(3)").all_inner_texts()]
        assert effects == sorted(effects, reverse=True)


def test_a_chart_is_told_in_words(address: str, open_page: Open) -> None:
    with open_page(f"{address}{MODEL}/features/country") as page:
        chart = page.get_by_role("region", name="Reference against the last window")
        expect(chart.get_by_role("img")).to_have_accessible_description(
            re.compile(r"^What differs most: .+: \d+\.\d% before, \d+\.\d% now"), timeout=SLOW_MS
        )
        effect = page.get_by_role("region", name="Effect", exact=True).get_by_role("img")
        expect(effect).to_have_accessible_description(re.compile("Held against: matters .*, high "))


def test_two_spans_of_the_past_are_compared(address: str, open_page: Open) -> None:
    with open_page(f"{address}/compare") as page:
        for label, text in (
            ("Good data from", "2026-01-05T00:00"),
            ("Good data to", "2026-01-06T00:00"),
            ("To judge from", "2026-01-06T00:00"),
            ("To judge to", "2026-01-07T00:00"),
        ):
            page.get_by_label(label).fill(text)
        page.get_by_role("button", name="Compare spans").click()
        rows = page.get_by_role("table", name="Compared columns").locator("tbody tr")
        expect(rows.first).to_be_visible()
