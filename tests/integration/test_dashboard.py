"""The pages of driftflow serve in a real browser: what they say and how they are used, at every width."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from flows.config import load_config
from flows.connections import store_opener
from state.events import EventType
from state.stores.base import Activation, Point, SeriesKey
from tests.integration.browser import DESKTOP, PHONE, Open, Theme, shown_span
from tests.integration.served import serving
from tests.service.served import KEYS, READ

MODEL = "/models/demo"
SLOW_MS = 30_000
"""How long drawing anew may take on a machine that is busy."""


@pytest.fixture(scope="module")
def address(own_demo: Path) -> Iterator[str]:
    with serving(own_demo) as address:
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
            position={"x": 600, "y": 58}
        )
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{first} of demo")


def test_windows_are_chosen_and_values_read(address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        drawn(page, "Drift by column and window (daily)")
        page.get_by_role("combobox", name="Window").click()
        page.get_by_role("option", name="sliding").click()
        drawn(page, "Drift by column and window (sliding)")
        share = page.get_by_role("region", name="Columns in drift")
        share.get_by_text("Values as a table").click()
        expect(share.get_by_role("table")).to_be_visible(timeout=SLOW_MS)
        page.get_by_role("combobox", name="Shown").click()
        page.get_by_role("option", name="last 48 windows").click()
        # The choice draws anew, and what is open stays open.
        expect(share.locator("tbody tr")).to_have_count(48, timeout=SLOW_MS)
        with page.expect_download() as download:
            share.get_by_role("button", name="Save values").press("Enter")
        lines = Path(download.value.path()).read_text().splitlines()
        assert lines[0] == "window ends,Columns in drift (share)"
        assert len(lines) == 49


def test_news_come_without_a_reload(own_demo: Path, address: str, open_page: Open) -> None:
    with open_page(address + MODEL) as page:
        expect(page.get_by_role("table", name="Open episodes")).to_be_visible()
        expect(page.get_by_text("made_up")).to_have_count(0)
        share = page.get_by_role("region", name="Columns in drift")
        share.get_by_text("Values as a table").click()
        expect(share.get_by_role("table")).to_be_visible()
        share.locator("canvas").first.hover()
        whole = shown_span(share)
        page.mouse.wheel(0, -600)
        until_s = time.monotonic() + SLOW_MS / 1_000
        while shown_span(share) == whole and time.monotonic() < until_s:
            page.wait_for_timeout(50)
        # The last step of the wheel is told a little later.
        page.wait_for_timeout(1_000)
        zoomed = shown_span(share)
        assert zoomed != whole
        page.get_by_text("Columns of this page").click()
        expect(page.get_by_role("table", name="Columns", exact=True)).to_be_hidden()
        store = store_opener(load_config(own_demo))()
        try:
            going = store.episodes("demo", open_only=True)[-1]
            store.put_episodes([replace(going, id="made-up", check="made_up", family="quality", severity="")])
            (last,) = store.events("demo", newest_first=True, limit=1)
            event = store.events("demo", types=[EventType.QUALITY_VIOLATED])[-1]
            store.add_events([replace(event, id="made-up", end=last.end)])
            expect(page.get_by_text("made_up").first).to_be_visible(timeout=10_000)
            # What is open stays open, what is closed stays closed, and what is zoomed stays zoomed.
            expect(share.locator("canvas").first).to_be_visible()
            assert shown_span(share) == pytest.approx(zoomed)
            expect(share.get_by_role("table")).to_be_visible()
            expect(page.get_by_role("table", name="Columns", exact=True)).to_be_hidden()
        finally:
            store.put_episodes([replace(going, id="made-up", is_open=False)])
            store.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off(address: str, open_page: Open, size: tuple[int, int], theme: Theme) -> None:
    parts = ("", "/features/country", "/events", "/quality", "/references")
    with open_page(address, size=size, theme=theme) as page:
        for path in ("/", "/compare", *(f"{MODEL}{part}" for part in parts)):
            page.goto(address + path)
            expect(page.get_by_text("Loading")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
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


def test_pages_ask_for_a_key_once(own_demo: Path, open_page: Open) -> None:
    with serving(own_demo, keys=KEYS) as address:
        wrong = httpx2.post(f"{address}/login", data={"key": "nobody's"}, timeout=30)
        assert wrong.status_code == 401
        with open_page(address + MODEL) as page:
            page.get_by_label("API key").fill(READ)
            page.get_by_role("button").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("demo")
            drawn(page, "Columns in drift")
            page.goto(address)
            expect(page.get_by_role("status").first).to_contain_text("Drift in ")


def test_events_are_filtered_and_read(address: str, open_page: Open) -> None:
    with open_page(f"{address}{MODEL}/events") as page:
        events = page.get_by_role("table", name="Events")
        expect(events.locator("tbody tr").first).to_be_visible()
        page.get_by_role("combobox", name="Event").click()
        page.get_by_role("option", name="drift.opened").click()
        page.get_by_role("combobox", name="Column").fill("country")
        page.get_by_role("option", name="country").click()
        expect(events.locator("tbody tr")).to_have_count(2)
        expect(events.get_by_role("link", name="country")).to_have_count(2)
        events.get_by_role("link", name="drift.opened").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("drift.opened")
        expect(page.get_by_text('"type": "io.driftflow.drift.opened"')).to_be_visible()


def test_violations_stand_by_check(address: str, open_page: Open) -> None:
    with open_page(f"{address}{MODEL}/quality") as page:
        expect(page.get_by_role("table", name="Violations by check")).to_contain_text("out_of_range_share")
        drawn(page, "Out of range share of distance_km (daily)")


def test_segments_are_picked(own_demo: Path, address: str, open_page: Open) -> None:
    store = store_opener(load_config(own_demo))()
    try:
        (last,) = store.events("demo", window="daily", types=[EventType.REPORT], newest_first=True, limit=1)
        # As a run with `segments` writes them; of a column that no other test looks at.
        for name, value in (("device=ios", 0.5), ("device=web", 0.125)):
            for feature, metric in (("discount", "effect"), ("", "share")):
                key = SeriesKey(
                    model="demo",
                    model_version="1",
                    window="daily",
                    feature=feature,
                    segment=name,
                    metric=metric,
                )
                store.add_points([Point(key, last.end - back * 86_400_000, value) for back in range(3)])
    finally:
        store.close()
    with open_page(f"{address}{MODEL}/features/discount") as page:
        furthest = page.get_by_role("region", name="Effect by segment, those furthest off")
        expect(furthest.get_by_text("device=ios: 0.5 on")).to_be_visible(timeout=SLOW_MS)
        expect(furthest.get_by_text("device=web: 0.125 on")).to_be_visible()
        page.get_by_role("combobox", name="Segments").click()
        page.get_by_role("option", name="device=web").click()
        picked = page.get_by_role("region", name="Effect by segment", exact=True)
        expect(picked.get_by_text("0.125 on")).to_be_visible(timeout=SLOW_MS)
        expect(picked.get_by_text("0.5 on")).to_have_count(0)
        traffic = page.get_by_role("region", name="Share of the traffic by segment")
        expect(traffic.get_by_text("12.5 % on")).to_be_visible()


def lines_of(path: Path, shift: float) -> Path:
    rng = np.random.default_rng(1)
    rows = [f"{rng.normal(shift)},{rng.normal()}" for _ in range(2_000)]
    path.write_text("\n".join(["=moved,still", *rows]))
    return path


def test_two_files_are_compared(address: str, open_page: Open, tmp_path: Path) -> None:
    files = lines_of(tmp_path / "before.csv", 0.0), lines_of(tmp_path / "now.csv", 1.0)
    with open_page(address) as page:
        page.get_by_role("link", name="Compare files").click()
        page.get_by_label("Baseline").set_input_files(files[0])
        page.get_by_label("Production").set_input_files(files[1])
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("Drift in 1 of 2 columns: =moved.")
        first = page.get_by_role("table", name="Compared columns").locator("tbody tr").first
        expect(first).to_contain_text("high")
        for kind, begin in (("CSV", "column,kind"), ("JSON", "{"), ("HTML", "<!doctype html>")):
            with page.expect_download() as download:
                page.get_by_role("button", name=f"Download {kind}").click()
            text = Path(download.value.path()).read_text()
            assert text.lower().startswith(begin)
            # No spreadsheet takes a name for a formula.
            assert kind != "CSV" or "\n'=moved," in text


def test_a_file_of_no_format_is_refused_in_words(address: str, open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "before.exe"
    file.write_text("x")
    with open_page(f"{address}/compare") as page:
        page.get_by_label("Baseline").set_input_files(file)
        page.get_by_label("Production").set_input_files(file)
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("does not tell the format")
        page.reload()
        expect(page.get_by_role("status")).to_have_count(0)


def test_a_reference_is_activated(own_demo: Path, address: str, open_page: Open, tmp_path: Path) -> None:
    rows = (own_demo.parent / "events.jsonl").read_text().splitlines(keepends=True)
    newer = tmp_path / "newer.jsonl"
    newer.write_text("".join(rows[:3_000]))
    with open_page(f"{address}{MODEL}/references") as page:
        references = page.get_by_role("table", name="References")
        expect(references.locator("tbody tr").first).to_be_visible()
        before = references.locator("tr", has_text="active").locator("td").first.inner_text()
        expect(page.get_by_role("table", name="Two references")).to_have_count(0)
        page.get_by_label("Good data").set_input_files(newer)
        page.get_by_role("button", name="Build").click()
        expect(page.get_by_role("status").filter(has_text="Built ")).to_be_visible(timeout=SLOW_MS)
        # A reference that comes while the page is open is shown; the list to choose from is of its opening.
        expect(references.locator("tbody tr")).to_have_count(2, timeout=20_000)
        page.reload()
        pair = page.get_by_role("table", name="Two references")
        # Twelve columns of a payment model; its stream begins as the weeks before were: no distance is large.
        expect(pair.locator("tbody tr")).to_have_count(12, timeout=SLOW_MS)
        assert all(float(text) < 0.1 for text in pair.locator("tbody td:nth-child(3)").all_inner_texts())
        new = references.locator("tbody tr", has_not_text="active").locator("td").first.inner_text()
        page.get_by_role("combobox", name="Reference").click()
        page.get_by_role("option", name=new).click()
        page.get_by_label("From", exact=True).fill("yesterday")
        page.get_by_role("button", name="Activate").click()
        expect(page.get_by_role("alert")).to_contain_text("yesterday")
        page.get_by_label("From", exact=True).fill("")
        page.get_by_role("button", name="Activate").click()
        expect(page.get_by_role("status").first).to_have_text(f"Windows are compared with {new}.")
    store = store_opener(load_config(own_demo))()
    try:
        assert [each.version for each in store.activations("demo", "1")] == [new]
        assert before != new
        store.activate("demo", "1", Activation(version=before, effective_from=None))
    finally:
        store.close()


def test_a_key_that_may_read_changes_nothing(own_demo: Path, open_page: Open) -> None:
    with serving(own_demo, keys=KEYS) as address:
        with open_page(f"{address}/login?then={MODEL}/references") as page:
            page.get_by_label("API key").fill(READ)
            page.get_by_role("button").click()
            expect(
                page.get_by_text("Activating a reference needs a key with the role admin.")
            ).to_be_visible()
            expect(page.get_by_role("button", name="Activate")).to_have_count(0)
            page.goto(f"{address}/compare")
            expect(page.get_by_text("comparing needs write")).to_be_visible()
            expect(page.get_by_role("button", name="Build")).to_have_count(0)
        answer = httpx2.post(f"{address}{MODEL}/references", files={"file": ("a.csv", b"x\n1\n")}, timeout=30)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?then={MODEL}/references")
        # Without the form, and without a key, nothing is taken either.
        sent = {"baseline": ("a.csv", b"x\n1\n"), "current": ("b.csv", b"x\n1\n")}
        answer = httpx2.post(f"{address}/compare/files", files=sent, timeout=30)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?then=/compare")
