"""What a page of a very wide model costs: 1,000 columns, 30 days of hourly windows.

Fills a store with series and episodes as a run would leave
them, serves it, opens the page of the model and of a column in the installed Chromium, and prints the time to
the first chart, the bytes that came over the wire for the data alone and with the library, and the time that
the server takes to read what is shown.
"""

import argparse
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from flows.config import Config, load_config
from flows.connections import store_opener
from flows.serving import watched_model
from scripts.local_services.packages import program
from service.models import WatchedModel
from service.views.heat import heat_map
from service.views.lines import first_shown, model_lines
from state.stores.base import Point, SeriesKey, Store
from state.stores.episodes import StoredEpisode
from tests.command_line import COMMAND
from tests.integration.served import serving

FULL, QUICK = (1_000, 30), (50, 2)
"""Columns, and days of windows."""

HOUR = 3_600_000
PAGES = (("/models/wide", "Drift by column"), ("/models/wide/features/f0000", "Effect"))
"""Where to go, and the chart that is waited for."""

METRICS = ("effect", "evidence", "p_value", "missing_share", "rows", "psi", "ks", "js")
WINDOW = "hourly"


def configured(folder: Path, columns: int) -> Config:
    """Write the configuration and a reference of a few rows, which pages need."""
    names = [f"f{number:04}" for number in range(columns)]
    path = folder / "driftflow.yaml"
    lines = "".join(f"  {name}: {{kind: numeric}}\n" for name in names)
    path.write_text(
        "model: {name: wide}\ninput: {path: events.csv}\ntime: {column: ts}\n"
        f"windows: {{{WINDOW}: {{size: 1h}}}}\ncolumns:\n{lines}"
    )
    rng = np.random.default_rng(1)
    rows = [
        ",".join(
            [f"2026-01-05T{row // 60:02}:{row % 60:02}:00Z", *(f"{x:.4f}" for x in rng.normal(size=columns))]
        )
        for row in range(200)
    ]
    (folder / "events.csv").write_text("\n".join([",".join(["ts", *names]), *rows]))
    for command in (("reference", "build", path, folder / "events.csv"), ("run", path)):
        subprocess.run([*COMMAND, *map(str, command)], check=True, capture_output=True)  # noqa: S603
    return load_config(path)


def fill(store: Store, model: WatchedModel, windows: int, end: int) -> None:
    """Add series of every column, and a drift for one in twenty."""
    rng = np.random.default_rng(2)
    ends = [end - HOUR * back for back in range(1, windows)][::-1]

    def points(feature: str, metrics: tuple[str, ...]) -> Iterator[Point]:
        for metric in metrics:
            key = SeriesKey(
                model=model.name,
                model_version=model.version,
                window=WINDOW,
                feature=feature,
                segment="",
                metric=metric,
            )
            values = rng.gamma(1.0, 0.05, len(ends)).tolist()
            yield from (Point(key, time, value) for time, value in zip(ends, values, strict=True))

    store.add_points(points("", ("drift_share", "rows")))
    for number, column in enumerate(model.columns):
        store.add_points(points(column.name, METRICS))
        if number % 20 == 0:
            store.put_episodes([_episode(model, column.name, ends)])


def _episode(model: WatchedModel, feature: str, ends: list[int]) -> StoredEpisode:
    return StoredEpisode(
        id=f"episode-{feature}",
        model=model.name,
        model_version=model.version,
        window=WINDOW,
        feature=feature,
        reference="",
        since=ends[len(ends) // 2],
        opened=ends[len(ends) // 2],
        updated=ends[-1],
        is_open=True,
        severity="high",
        peak=0.5,
        windows=len(ends) // 2,
    )


def opened(page: Page, address: str, chart: str) -> tuple[float, dict[str, int]]:
    """Open a page; return seconds until a chart is drawn, and bytes by where they came from."""
    came = {"data": 0, "library": 0}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    library = set[str]()

    def responded(event: dict[str, Any]) -> None:
        if "/_nicegui/" in event["response"]["url"]:
            library.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        came["library" if event["requestId"] in library else "data"] += int(event["encodedDataLength"])

    def pushed(event: dict[str, Any]) -> None:
        came["data"] += len(event["response"]["payloadData"])

    network.on("Network.responseReceived", responded)
    network.on("Network.loadingFinished", finished)
    network.on("Network.webSocketFrameReceived", pushed)
    begun = perf_counter()
    page.goto(address)
    page.get_by_role("region", name=chart).locator("canvas").first.wait_for()
    return perf_counter() - begun, came


def main() -> None:
    """Print what pages cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 columns and 2 days")
    columns, days = QUICK if parser.parse_args().quick else FULL
    with TemporaryDirectory() as folder:
        config = configured(Path(folder), columns)
        model = watched_model(config)
        store = store_opener(config)()
        end = store.events(model.name, newest_first=True, limit=1)[0].end
        fill(store, model, 24 * days, end)
        print_reads(store, model, 24 * days)
        store.close()
        with serving(config.folder / "driftflow.yaml") as address:
            print_visits(address)


def print_reads(store: Store, model: WatchedModel, windows: int) -> None:
    """Print how long the server reads for what is shown."""
    start = first_shown(store, model, model.windows[0], windows)
    reads: dict[str, Callable[[], object]] = {
        "heat map": lambda: heat_map(store, model, WINDOW, start=start),
        "lines of the model": lambda: model_lines(store, model, WINDOW, start),
    }
    for name, read in reads.items():
        begun = perf_counter()
        read()
        print(
            f"{len(model.columns):,} columns, {windows:,} windows: {name} in {perf_counter() - begun:.3f} s"
        )


def print_visits(address: str) -> None:
    """Print how long a browser waits, and what it is sent; the second time it has the library."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium", package="chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        for visit in ("first visit", "second visit"):
            for path, chart in PAGES:
                seconds, came = opened(page, address + path, chart)
                print(
                    f"{path}, {visit}: first chart after {seconds:.2f} s; "
                    f"{came['data'] / 1000:,.0f} kB of data, {came['library'] / 1000:,.0f} kB of library"
                )
        browser.close()


if __name__ == "__main__":
    main()
