"""Progress of a long task: a bar on a terminal, a line now and then elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
from rich.progress import TimeRemainingColumn as Remaining
from rich.text import Text

from flows.render.words import bytes_text

LINE_EVERY_S = 10.0
"""Seconds between lines where there is no terminal."""

_NARROW = 70


class Meter(Protocol):
    """Takes what a task has done."""

    def advance(self, size: int, note: str = "") -> None:
        """Add what was done, in the unit of the total; `note` says more, in a few words."""
        ...


@contextmanager
def meter(
    console: Console, title: str, *, total: int, unit: str, clock: Callable[[], float]
) -> Iterator[Meter]:
    """Show progress while the context lasts.

    Parameters
    ----------
    total, unit
        What there is to do, 0 where that is not known; "bytes" are written in their larger units.
    clock
        Seconds that only grow, for the lines where there is no terminal.
    """
    if not console.is_terminal:
        yield _Lines(console, title, total, clock)
        return
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(bar_width=None)]
    columns.append(TaskProgressColumn())
    if console.width >= _NARROW:
        columns += [_Amount(unit), Remaining(compact=True)]
    columns.append(TextColumn("{task.fields[note]}", style="dim"))
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        # A live input has no end to measure against: the bar then only shows that something happens.
        task = bar.add_task(title, total=total or None, note="")
        yield _Bar(bar, task)


class _Bar:
    def __init__(self, bar: Progress, task: int) -> None:
        self._bar = bar
        self._task = bar.task_ids[task]

    def advance(self, size: int, note: str = "") -> None:
        if note:
            self._bar.update(self._task, advance=size, note=note)
        else:
            self._bar.update(self._task, advance=size)


class _Lines:
    def __init__(self, console: Console, title: str, total: int, clock: Callable[[], float]) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._clock = clock
        self._done = 0
        self._told = clock()

    def advance(self, size: int, note: str = "") -> None:
        self._done += size
        now = self._clock()
        if now - self._told < LINE_EVERY_S:
            return
        self._told = now
        done = f"{min(self._done / self._total, 1.0):.0%}" if self._total else ""
        line = f"{self._title}: " + ", ".join(part for part in (done, note) if part)
        self._console.print(line, soft_wrap=True, markup=False)


class _Amount(ProgressColumn):
    """What is done of what there is."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        done, total = task.completed, task.total or 0
        if not total:
            return Text(bytes_text(done) if self._unit == "bytes" else f"{done:,.0f} {self._unit}", "dim")
        if self._unit == "bytes":
            return Text(f"{bytes_text(done)} of {bytes_text(total)}", "dim")
        return Text(f"{done:,.0f} of {total:,.0f} {self._unit}", "dim")
