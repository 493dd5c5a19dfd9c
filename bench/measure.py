"""Interleaved timing on one core, and the tables that show it."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

Case = Callable[[], object]
"""One thing to time; takes its input from where it was made beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Medians over the repeats, in seconds."""

    cpu_s: float
    wall_s: float


def pin() -> None:
    """Keep this process on one core, where the system lets it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def interleaved(cases: Mapping[str, Case], *, repeats: int) -> dict[str, Timing]:
    """Time cases in turn, so that a slow minute of the machine hits all of them alike."""
    cpu: dict[str, list[float]] = {name: [] for name in cases}
    wall: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(repeats):
        for name, case in cases.items():
            before_cpu, before_wall = time.process_time(), time.perf_counter()
            case()
            cpu[name].append(time.process_time() - before_cpu)
            wall[name].append(time.perf_counter() - before_wall)
    return {name: Timing(cpu_s=median(cpu[name]), wall_s=median(wall[name])) for name in cases}


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; texts left, numbers right."""
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(header):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


def say(text: str) -> None:
    """Print a line below a table, as it is."""
    Console(width=120).print(text, markup=False, highlight=False)
