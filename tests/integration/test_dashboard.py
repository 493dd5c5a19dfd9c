"""The pages of driftflow serve in a real browser: what they say and how they are used, at every width."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from flows.config import load_config
from flows.connections import store_opener
from tests.integration.browser import DESKTOP, PHONE, Open, Theme
from tests.integration.served import serving
from tests.service.served import KEYS, READ

MODEL = "/models/demo"


@pytest.fixture(scope="module")
def address(drifted_demo: Path) -> Iterator[str]:
    with serving(drifted_demo) as address:
        yield address


def drawn(page: Page, chart: str) -> None:
    """Wait until a chart has something on it."""
    expect(page.get_by_role("region", name=chart).locator("canvas").first).to_be_visible()


def test_from_all_models_to_one_column(address: str, open_page: Open) -> None:
    with open_page(address) as page:
        expect(page.get_by_role("status")).to_contain_text("Drift in ")
        page.get_by_role("region", name="demo").get_by_role("link", name="demo").click()
        drawn(page, "Drift by column and window (daily)")
        drawn(page, "Columns in drift")
        columns = page.get_by_role("table", name="Columns", exact=True)
        # The worst come first.
        expect(columns.locator("tbody tr").first).to_contain_text("high")
        columns.get_by_role("link", name="income").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("income of demo")
        expect(page.get_by_role("status")).to_contain_text("In drift, ")
        for chart in ("Reference against the last window", "Quantiles over time", "Evidence over time"):
            drawn(page, chart)
        expect(page.get_by_role("table", name="Episodes")).to_contain_text("open")


def test_a_cell_of_the_heat_map_leads_to_its_column(address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        drawn(page, "Drift by column and window (daily)")
        first = page.get_by_role("table", name="Columns", exact=True).locator("tbody a").first.inner_text()
        page.get_by_role("region", name="Drift by column").locator("canvas").last.click(
            # The first row, a little below the legend.
            position={"x": 600, "y": 70}
        )
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{first} of demo")


def test_windows_are_chosen_and_values_read(address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        drawn(page, "Drift by column and window (daily)")
        page.get_by_role("combobox", name="Window").click()
        page.get_by_role("option", name="sliding").click()
        drawn(page, "Drift by column and window (sliding)")
        page.get_by_role("combobox", name="Shown").click()
        page.get_by_role("option", name="last 48 windows").click()
        share = page.get_by_role("region", name="Columns in drift")
        share.get_by_text("Values as a table").click()
        expect(share.locator("tbody tr")).to_have_count(48)
        with page.expect_download() as download:
            share.get_by_role("button", name="Save values").press("Enter")
        lines = Path(download.value.path()).read_text().splitlines()
        assert lines[0] == "window ends,Columns in drift (share)"
        assert len(lines) == 49


def test_news_come_without_a_reload(drifted_demo: Path, address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        expect(page.get_by_role("table", name="Open episodes")).to_be_visible()
        expect(page.get_by_text("made_up")).to_have_count(0)
        store = store_opener(load_config(drifted_demo))()
        try:
            going = store.episodes("demo", open_only=True)[-1]
            store.put_episodes([replace(going, id="made-up", check="made_up", family="quality", severity="")])
            event = store.events("demo", newest_first=True, limit=1)[0]
            store.add_events([replace(event, id="made-up")])
            expect(page.get_by_text("made_up").first).to_be_visible(timeout=10_000)
        finally:
            store.put_episodes([replace(going, id="made-up", is_open=False)])
            store.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off(address: str, open_page: Open, size: tuple[int, int], theme: Theme) -> None:
    for path in ("/", MODEL, f"{MODEL}/features/country"):
        with open_page(address + path, size=size, theme=theme) as page:
            expect(page.get_by_role("status").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[theme]


def test_what_is_not_there_is_said(address: str) -> None:
    for path, told in (
        ("/models/nope", "There is no model &#x27;nope&#x27;"),
        (f"{MODEL}/features/nope", "demo has no column &#x27;nope&#x27;"),
    ):
        answer = httpx2.get(address + path, timeout=30)
        assert answer.status_code == 404
        assert told.replace("&#x27;", "'") in answer.text.replace("&#x27;", "'").replace("\\u0027", "'")
    # What asks below /v1 is a program, and is answered as one.
    answer = httpx2.get(f"{address}/v1/nope", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert httpx2.delete(f"{address}/v1/models", timeout=30).status_code == 405


def test_before_the_first_run_pages_say_so(tmp_path: Path, open_page: Open) -> None:
    config = tmp_path / "driftflow.yaml"
    config.write_text(
        "model: {name: new}\ninput: {path: events.jsonl}\ntime: {column: ts}\n"
        "columns: {x: {kind: numeric}}\nwindows: {hourly: {size: 1h}}\n"
    )
    with serving(config) as address:
        for path in ("/", "/models/new"):
            with open_page(address + path) as page:
                expect(page.get_by_role("status")).to_have_text(
                    "No reference is active: nothing is compared."
                )
        with open_page(f"{address}/models/new/features/x") as page:
            expect(page.get_by_text("No window of this kind has closed yet.")).to_be_visible()
    assert not (tmp_path / "out").exists()


def test_pages_ask_for_a_key_once(drifted_demo: Path, open_page: Open) -> None:
    with serving(drifted_demo, keys=KEYS) as address:
        wrong = httpx2.post(f"{address}/login", data={"key": "nobody's"}, timeout=30)
        assert wrong.status_code == 401
        with open_page(address + MODEL) as page:
            page.get_by_label("API key").fill(READ)
            page.get_by_role("button").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("demo")
            drawn(page, "Columns in drift")
            page.goto(address)
            expect(page.get_by_role("status").first).to_contain_text("Drift in ")
