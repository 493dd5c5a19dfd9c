"""Puts faults into a copy of a file, and says what became of them."""

import time
from collections.abc import Sequence
from pathlib import Path

from flows.commands.console import messages, results, say, show, warn
from flows.commands.usage import UsageError
from flows.injection.faults import InjectionError, parse_fault
from flows.injection.forms import FORMS
from flows.injection.inject import Injected, inject
from flows.render.grid import Field, Row, grid
from flows.render.progress import meter
from flows.render.words import count_text
from flows.sources.base import SourceError


def list_faults() -> None:
    """Show every kind of fault with how it is written and what it does."""
    console = results()
    rows = [Row((kind, form.usage), note=form.description) for kind, form in FORMS.items()]
    show(console, [grid((Field(title="--inject"), Field(title="followed by")), rows, console.width)])


def inject_faults(source: Path, folder: Path, texts: Sequence[str], *, seed: int) -> None:
    """Write a copy of `source` with faults to `folder`, and say how many rows each hit.

    Raises
    ------
    UsageError
        A fault cannot be read or not be put into this file, or the file cannot be read.
    """
    try:
        faults = [parse_fault(text) for text in texts]
        if not source.is_file():
            raise UsageError(f"{source} is no file, wanted a CSV or JSON-lines file to copy with faults")
        # It is read twice.
        total = 2 * source.stat().st_size
        with meter(messages(), "Injecting", total=total, unit="bytes", clock=time.monotonic) as progress:
            done = inject(source, folder, faults, seed=seed, on_read=progress.advance)
    except (InjectionError, SourceError) as error:
        raise UsageError(str(error)) from error
    _tell(done)


def _tell(done: Injected) -> None:
    truth = done.truth
    say(
        f"Copied {count_text(truth.rows_read, 'row')} of {truth.input} to {done.output}, "
        f"{count_text(truth.rows_written, 'row')} ({done.truth_file.name} says which are faulty)."
    )
    for fault in truth.faults:
        low, high = fault.input_rows
        say(f"  {fault.fault}: {fault.changed:,} of the rows {low:,} to {high - 1:,}")
        if not fault.changed:
            warn(f"{fault.fault} hit no row: raise its share, or look at its field")
    if truth.unreadable:
        warn(f"{count_text(truth.unreadable, 'row')} could not be read and are copied as they are")
