"""Twenty open pages for an hour while a store fills: memory of the service and of the browser over time.

A finished run of the demo is played into the store that is served, spread over the time, as its own process
would write it; so every page has news to show from the first minute to the last.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from playwright.sync_api import Browser, Error, Page, sync_playwright

from bench.growth import LIMIT, MIB, WARM_UP, grows, growth, picked
from bench.live import members, resident_bytes
from bench.measure import say, show
from flows.config import Config, load_config
from flows.connections import store_opener
from scripts.local_services.packages import program
from state.stores.base import Point, Store
from tests.command_line import COMMAND, finished_demo
from tests.integration.processes import free_ports

PATHS = (
    "/",
    "/models/demo",
    "/models/demo/features/income",
    "/models/demo/features/amount",
    "/models/demo/events",
    "/models/demo/quality",
    "/models/demo/references",
    "/compare",
)
PAGES = 20
ROWS = 52_000
EVERY_S = 30.0
TURN_S = 120.0
"""One page is loaded anew that often, in turn: what is left of a closed page must go too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look: seconds since the start, bytes of the service, bytes of all of the browser, events stored."""

    at_s: float
    service: int
    browser: int
    events: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Open, wait, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--quick", action="store_true", help="two minutes, which shows that it works")
    given = parser.parse_args(arguments)
    minutes = 2.0 if given.quick else given.minutes
    with TemporaryDirectory() as folder:
        samples = soak(Path(folder), seconds=60 * minutes)
    report(samples, minutes)


def soak(folder: Path, *, seconds: float) -> list[Sample]:
    """Serve what is played, look at it from many pages, and sample both sides."""
    full = load_config(finished_demo(folder / "full", rows=ROWS))
    played = load_config(emptied(full, folder / "played"))
    stopped = Event()
    with served(played.folder / "driftflow.yaml") as (address, service):
        player = Thread(target=play, args=(full, played, seconds, stopped))
        player.start()
        try:
            return watch(address, service, played, seconds)
        finally:
            stopped.set()
            player.join()


def emptied(full: Config, folder: Path) -> Path:
    """Make a second configuration whose store holds the reference alone."""
    folder.mkdir()
    path = folder / "driftflow.yaml"
    path.write_text((full.folder / "driftflow.yaml").read_text())
    model, version = full.file.model.name, full.file.model.version
    config = load_config(path)
    config.output.mkdir(parents=True, exist_ok=True)
    with closing(store_opener(full)()) as source, closing(store_opener(config)()) as target:
        for info in source.references(model):
            target.put_reference(source.reference(model, info.version))
        for activation in source.activations(model, version):
            target.activate(model, version, activation)
    return path


def play(full: Config, played: Config, seconds: float, stopped: Event) -> None:
    """Write what a run has found into another store, window by window, over some time."""
    model, version = full.file.model.name, full.file.model.version
    with closing(store_opener(full)()) as source, closing(store_opener(played)()) as target:
        ends = sorted({event.end for event in source.events(model)})
        began = time.monotonic()
        for place, (before, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            target.add_events(source.events(model, start=before + 1, end=end + 1))
            target.add_points(
                Point(key, at, value)
                for key in source.series_keys(model)
                for at, value in source.series(key, start=before + 1, end=end + 1)
            )
            opened = [each for each in source.episodes(model) if before < each.opened <= end]
            target.put_episodes(opened)
            put_panes(source, target, full, (version, before, end))
            if stopped.wait(max(0.0, began + seconds * (place + 1) / len(ends) - time.monotonic())):
                return


def put_panes(source: Store, target: Store, full: Config, span: tuple[str, int, int]) -> None:
    """Copy the panes that start in a span of time."""
    version, before, end = span
    for column in full.columns:
        model = full.file.model.name
        target.put_panes(source.panes(model, version, column.name, start=before, end=end))


@contextmanager
def served(config: Path) -> Iterator[tuple[str, int]]:
    """Serve a model; give the address and the id of the process."""
    (port,) = free_ports(1)
    log = (config.parent / "service.log").open("w")
    command = [*COMMAND, "serve", str(config), "--port", str(port)]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:  # noqa: S603
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


def watch(address: str, service: int, played: Config, seconds: float) -> list[Sample]:
    """Keep pages open, load one anew now and then, and look at memory."""
    samples: list[Sample] = []
    with sync_playwright() as playwright, closing(store_opener(played)()) as store:
        browser = playwright.chromium.launch(
            executable_path=program("chromium", package="chromium"), args=["--no-sandbox"]
        )
        pages = [reached(browser, address + PATHS[number % len(PATHS)]) for number in range(PAGES)]
        began = time.monotonic()
        turned = 0
        while (now := time.monotonic() - began) < seconds:
            pages[0].wait_for_timeout(1_000 * min(EVERY_S, seconds - now + 1))
            if now > turned * TURN_S:
                try:
                    pages[turned % PAGES].reload()
                except Error:
                    # A page that lost its connection on a busy machine may be loading itself anew just now.
                    pages[turned % PAGES].wait_for_load_state()
                turned += 1
            samples.append(
                Sample(
                    at_s=time.monotonic() - began,
                    service=resident_bytes(service),
                    browser=sum(map(resident_bytes, descendants(driver_of()))),
                    events=len(store.events(played.file.model.name)),
                )
            )
        lost = sum(page.get_by_text("Trying to reconnect").is_visible() for page in pages)
        say(f"{PAGES} pages, {turned} loaded anew; {lost} had lost the service at the end.")
        browser.close()
    return samples


def reached(browser: Browser, address: str, *, patience_s: float = 60.0) -> Page:
    """Open a page of a service that may still be starting."""
    page = browser.new_page()
    until = time.monotonic() + patience_s
    while True:
        try:
            page.goto(address)
        except Exception:  # theirs has no finer one for a refused connection
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return page


def driver_of() -> int:
    """Return the process that the browser was started by: this one's youngest."""
    return max(child for child in members(os.getpid()) if resident_bytes(child) and _is_node(child))


def _is_node(process: int) -> bool:
    return b"node" in Path(f"/proc/{process}/cmdline").read_bytes()


def descendants(process: int) -> list[int]:
    """Return all processes below one."""
    children = members(process)
    return children + [each for child in children for each in descendants(child)]


def report(samples: Sequence[Sample], minutes: float) -> None:
    """Print some of the samples, and how fast each size grows once it has its level."""
    show(
        f"{minutes:g} minutes with {PAGES} open pages, MiB",
        ("minute", "events", "service", "browser"),
        [
            (
                f"{sample.at_s / 60:.1f}",
                f"{sample.events:,}",
                f"{sample.service / MIB:.1f}",
                f"{sample.browser / MIB:.0f}",
            )
            for sample in (samples[place] for place in picked(len(samples)))
        ],
    )
    settled = [sample for sample in samples if sample.at_s >= WARM_UP * minutes * 60]
    sizes = [sample.service for sample in settled]
    slope = growth([sample.at_s for sample in settled], sizes)
    verdict = "GROWS" if grows(slope, sizes) else "flat"
    say(
        f"The service grows by {slope / MIB:+.1f} MiB an hour after the first {WARM_UP:.0%}: {verdict}; "
        f"the limit is {LIMIT:.0%} of the level."
    )


if __name__ == "__main__":
    main()
