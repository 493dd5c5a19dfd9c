"""What a configuration wants to know of whole records, in a stream and in a reference."""

from collections.abc import Callable
from dataclasses import dataclass

from flows.config import Config
from flows.decode.base import Decoder
from flows.record_watch import RecordWatch
from state.columns import Role
from state.durations import Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSpec:
    """Which records are looked at as a whole.

    Attributes
    ----------
    id_column
        The column that names a record; None: its bytes do.
    timed
        Whether event times are wanted. Records without any, such as a training set, are not of the stream's
        form: they say nothing about its records.
    """

    id_column: str | None = None
    timed: bool = True


def record_watch(config: Config) -> Callable[[Decoder], RecordWatch] | None:
    """Return what makes the look at the records of a partition; None where nobody wants one."""
    if not config.file.quality.enabled:
        return None
    column = id_column(config)
    return lambda decoder: RecordWatch(decoder, column)


def record_spec(config: Config) -> RecordSpec | None:
    """Return what a reference learns of its records; None where nothing is looked at of them."""
    if not config.file.quality.enabled:
        return None
    return RecordSpec(id_column=id_column(config), timed=config.grid.axis is Axis.MILLISECONDS)


def id_column(config: Config) -> str | None:
    """Return the column that names a record, the first of several; None where there is none."""
    return next((field.name for field in config.fields if field.role is Role.ID), None)
