"""Pages that commands write, in a real browser: sorted, at every width, in both themes, without a network."""

import csv
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.command_line import Call, caller
from tests.integration.browser import DESKTOP, PHONE, Open, Theme

HOSTILE = "<script>throw 1</script>"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def write(path: Path, seed: int, shift: float) -> Path:
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["moved", "still", "whole", "colour", HOSTILE])
        for _ in range(3_000):
            colour = rng.choice(["red", "blue", HOSTILE], p=[0.5, 0.4 - shift / 10, 0.1 + shift / 10])
            row = [rng.lognormal(shift), rng.normal(), rng.integers(0, 12), colour, rng.normal()]
            writer.writerow(row)
    return path


@pytest.fixture
def compared(call: Call, tmp_path: Path) -> Path:
    files = write(tmp_path / "before.csv", 1, 0.0), write(tmp_path / "now.csv", 2, 1.0)
    page = tmp_path / "report" / "page.html"
    outcome = call("compare", *files, "--html", page)
    assert outcome.code == 0
    assert "open it in a browser" in outcome.err
    return page


def names(page: Page) -> list[str]:
    return page.locator("table.sortable tbody td.name").all_inner_texts()


def test_the_page_says_what_the_table_says(compared: Path, open_page: Open) -> None:
    with open_page(compared) as page:
        assert page.get_by_role("status").inner_text().startswith("Drift in 2 of 5 columns")
        assert names(page)[0] == "moved"
        assert page.locator("article svg").count() == 5
        assert page.title() == "2 of 5 columns drifted"


def test_violated_checks_are_listed(call: Call, tmp_path: Path, open_page: Open) -> None:
    # A lognormal that moves by two deviations: a twelfth of it is beyond the largest of 3,000 values before.
    files = write(tmp_path / "before.csv", 1, 0.0), write(tmp_path / "now.csv", 2, 2.0)
    call("compare", *files, "--html", tmp_path / "page.html")
    with open_page(tmp_path / "page.html", size=PHONE) as page:
        table = page.get_by_role("region", name="Data quality")
        row = table.get_by_role("row").filter(has_text="out_of_range_share")
        name, _, value, limit = row.locator("td:visible").all_inner_texts()
        assert (name, value.endswith("%"), limit.startswith("at most")) == ("moved", True, True)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_columns_sort_by_mouse_and_keyboard(compared: Path, open_page: Open) -> None:
    with open_page(compared) as page:
        head = page.get_by_role("columnheader", name="column", exact=True)
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert names(page) == sorted([HOSTILE, "moved", "still", "whole", "colour"])
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        assert names(page) == sorted(names(page), reverse=True)
        page.get_by_role("columnheader", name="effect (PSI)").get_by_role("button").click()
        assert head.get_attribute("aria-sort") is None
        assert names(page)[-1] == "moved"


def test_readings_open_on_demand(compared: Path, open_page: Open) -> None:
    with open_page(compared) as page:
        card = page.locator("article").filter(has=page.get_by_role("heading", name="moved"))
        assert not card.get_by_role("cell", name="wasserstein").is_visible()
        card.get_by_text("All readings").click()
        assert card.get_by_role("cell", name="wasserstein").is_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off(compared: Path, open_page: Open, size: tuple[int, int], theme: Theme) -> None:
    with open_page(compared, size=size, theme=theme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[theme]
        # The style sheet knows every colour of the drawings: none is left as it was drawn.
        drawn = page.evaluate(
            "[...document.querySelectorAll('svg [fill], svg [stroke]')]"
            ".flatMap(e => [getComputedStyle(e).fill, getComputedStyle(e).stroke])"
        )
        assert not {f"rgb({n}, {n}, {n})" for n in (1, 2, 3, 4)} & set(drawn)


def test_a_reference_as_a_page(call: Call, tmp_path: Path, open_page: Open) -> None:
    config, page_file = tmp_path / "driftflow.yaml", tmp_path / "reference.html"
    config.write_text(
        "model: {name: m}\ninput: {path: before.csv}\ntime: {rows: true}\nwindows: {w: {size: 500 rows}}\n"
        "columns: {moved: {kind: numeric}, whole: {kind: numeric}, colour: {kind: categorical}}\n"
    )
    call("reference", "build", config, write(tmp_path / "before.csv", 1, 0.0))
    assert call("reference", "show", config, "--html", page_file).code == 0
    with open_page(page_file, size=PHONE) as page:
        assert page.locator("h1").inner_text().startswith("Reference ")
        assert names(page) == ["moved", "whole", "colour"]
        assert page.locator("article svg").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
