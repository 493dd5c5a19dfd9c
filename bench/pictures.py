"""Pictures of every page, at the width of a desktop and of a phone, on light paper and on dark.

They are for eyes: what is cut off, what cannot be read, what stands empty. The demo's stream; the car-loan
data set, where a folder has it; and house prices, with labels that come late, latencies and segments.
"""

import argparse
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import yaml
from playwright.sync_api import Browser, sync_playwright

from bench.measure import say
from flows.config import load_config
from scripts.local_services.packages import program
from tests.command_line import COMMAND, finished_demo
from tests.integration.browser import DESKTOP, PHONE, Theme
from tests.integration.served import serving

SIZES = {"desktop": DESKTOP, "phone": PHONE}
THEMES: tuple[Theme, ...] = ("light", "dark")
PARTS = ("", "/events", "/quality", "/references")
SETTLED_MS = 600
"""How long charts take to be drawn once their data has come."""

ROWS = 52_000
QUICK_ROWS = 20_000
ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the models, serve them, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--data", type=Path, help="folder of data sets; without it car loan is left out")
    parser.add_argument("--quick", action="store_true", help="desktop on light paper, and a short demo")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        demo = finished_demo(place / "demo", rows=QUICK_ROWS if given.quick else ROWS)
        # A second reference, so that two stand side by side.
        _driftflow("reference", "build", demo, place / "demo" / "events.jsonl", "--rows", "9000")
        configs = [demo, _houses(place)]
        if given.data is not None:
            configs.append(_car_loan(place, given.data))
        with serving(*configs) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=program("chromium", package="chromium"), args=["--no-sandbox"]
            )
            sizes = ["desktop"] if given.quick else list(SIZES)
            themes = THEMES[:1] if given.quick else THEMES
            for size in sizes:
                for theme in themes:
                    _take(browser, address, list(_paths(configs)), given.out, size, theme)
            browser.close()


def _houses(place: Path) -> Path:
    """Run house prices: the configuration of the scenario, with segments, performance and latencies."""
    folder = place / "houses"
    _driftflow("generate", "house-prices", "--out", folder, "--rows", "20000", "--reference-rows", "8000")
    config = folder / "driftflow.yaml"
    for name in ("events.jsonl", "reference.jsonl"):
        path = folder / name
        rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for number, row in enumerate(rows):
            # Slower, and later slower still: a wave of some hours and a step in the last third.
            step = 40 if name == "events.jsonl" and 3 * number > 2 * len(rows) else 0
            row["latency_ms"] = 20 + number * 7 % 30 + step
        path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    settings = yaml.safe_load(config.read_text())
    settings["columns"]["latency"] = {"kind": "numeric", "role": "latency", "path": "latency_ms"}
    settings["segments"] = {"columns": ["district"]}
    settings["performance"] = {}
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    return _watched(config, folder / "reference.jsonl")


def _car_loan(place: Path, data: Path) -> Path:
    folder = place / "car_loan"
    folder.mkdir()
    text = (ROOT / "examples/car_loan/driftflow.yaml").read_text()
    config = folder / "driftflow.yaml"
    config.write_text(text)
    os.environ["DRIFTFLOW_DATA"] = str(data.absolute())
    return _watched(config, data / "car_loan" / "synthetic_car_loan_reference.csv.gz")


def _watched(config: Path, reference: Path) -> Path:
    _driftflow("reference", "build", config, reference)
    _driftflow("run", config)
    return config


def _driftflow(*words: object) -> None:
    subprocess.run([*COMMAND, *map(str, words)], check=True, capture_output=True)  # noqa: S603  # our own


def _paths(configs: Sequence[Path]) -> Iterator[str]:
    """Name every page; of each model the page of a number and of a category."""
    yield from ("/", "/compare")
    for path in configs:
        config = load_config(path)
        model = f"/models/{config.file.model.name}"
        yield from (f"{model}{part}" for part in PARTS)
        kinds = {column.kind: column.name for column in reversed(config.columns)}
        yield from (f"{model}/features/{name}" for name in kinds.values())


def _take(browser: Browser, address: str, paths: Sequence[str], out: Path, size: str, theme: Theme) -> None:
    width, height = SIZES[size]
    with (
        browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme) as context,
        context.new_page() as page,
    ):
        for path in paths:
            page.goto(address + path)
            page.get_by_text("Loading …").wait_for(state="detached")
            page.wait_for_timeout(SETTLED_MS)
            name = path.strip("/").replace("models/", "").replace("/", "-") or "models"
            page.screenshot(path=out / f"{name}.{size}.{theme}.png", full_page=True)
            over = int(page.evaluate("document.documentElement.scrollWidth")) - width
            if over > 0:
                say(f"{path} is {over} px too wide on a {size}")
    say(f"{len(paths)} pages on a {size}, {theme}")


if __name__ == "__main__":
    main()
