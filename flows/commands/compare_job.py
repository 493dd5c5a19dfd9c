"""Compares two files and tells the outcome."""

import sys
import time
from dataclasses import replace
from glob import has_magic
from pathlib import Path

from flows.commands.console import messages, results, show
from flows.commands.document import print_json, write_page
from flows.commands.exits import ExitCode
from flows.commands.usage import UsageError
from flows.compare_files import Comparison
from flows.compare_paths import CompareAsked, document_of, prepare
from flows.infer import LeftOut
from flows.pages.compared import comparison_page
from flows.render.compared import comparison_lines, left_out_lines
from flows.render.progress import meter
from flows.sources.spooled import STANDARD_INPUT, spooled


def compare_and_tell(asked: CompareAsked, *, html: Path | None, fail_on_drift: bool, json: bool) -> ExitCode:
    """Compare, and print a table or one JSON document."""
    if asked.baseline == asked.current == STANDARD_INPUT:
        raise UsageError("standard input can be one of the two sides only")
    for path in (asked.baseline, asked.current):
        if path != STANDARD_INPUT and not path.exists() and not has_magic(str(path)):
            raise UsageError(f"{path}: no such file or folder")
    stream = sys.stdin.buffer
    with spooled(asked.baseline, stream) as baseline, spooled(asked.current, stream) as current:
        prepared = prepare(replace(asked, baseline=baseline, current=current))
        total = prepared.total
        with meter(messages(), "Comparing", total=total, unit="bytes", clock=time.monotonic) as progress:
            found = prepared.run(progress.advance)
    if html is not None:
        _draw(html, found, prepared.left_out)
    if json:
        print_json(document_of(found, prepared.left_out))
    else:
        show(messages(), left_out_lines(prepared.left_out, messages().width))
        console = results()
        show(console, comparison_lines(found, console.width))
    return ExitCode.DRIFT if fail_on_drift and found.drifted else ExitCode.DONE


def _draw(path: Path, found: Comparison, left_out: tuple[LeftOut, ...]) -> None:
    drawn = len(found.columns)
    with meter(messages(), "Drawing", total=drawn, unit="columns", clock=time.monotonic) as progress:
        page = comparison_page(found, left_out, on_drawn=lambda: progress.advance(1))
    write_page(path, page)
