"""Windows as a configuration names them."""

from zoneinfo import ZoneInfo

from flows.config_values import ConfigError, instant_of, span_of
from flows.schema import FileConfig
from state.durations import Axis
from state.grid import Grid, GridError, WindowSpec, build_grid


def checked_grid(file: FileConfig, axis: Axis) -> Grid:
    """Build the windows of a file on its axis; raises `ConfigError`."""
    specs = []
    for name, window in file.windows.items():
        size = span_of(window.size, axis, f"windows.{name}.size")
        slide = size if window.slide is None else span_of(window.slide, axis, f"windows.{name}.slide")
        specs.append(WindowSpec(name=name, size=size, slide=slide))
    # The origin is a time on the wall clock of the zone, so it is read as if the zone were UTC.
    origin = instant_of(file.time.origin, ZoneInfo("UTC"), "time.origin")
    try:
        return build_grid(tuple(specs), axis=axis, zone=file.time.zone, origin=origin)
    except GridError as error:
        raise ConfigError(f"`windows`: {error}") from error
