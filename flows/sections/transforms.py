"""The key `transform` of a column: steps from the field of a record to what is watched."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isfinite
from typing import Annotated, Literal, assert_never

import msgspec

from detectors.base import Kind
from flows.config_values import ConfigError
from flows.sections.base import Section
from state.epoch_dates import EpochDate
from state.text_steps import Date, DatePart, FillText, Hashed, Lower, Rename
from state.transforms import Bucket, Clip, FillNumber, Log, Scale, Step, Transform


class ClipConfig(Section, frozen=True):
    """Ends beyond which numbers become the end; null: no end on that side.

    Attributes
    ----------
    low
        numbers beyond an end become the end
    high
        numbers beyond an end become the end
    """

    low: float | None = None
    high: float | None = None


class ScaleConfig(Section, frozen=True):
    """``(value - center) / width``.

    Attributes
    ----------
    width
        (number - center) / width; center `0` if not given
    center
        (number - center) / width; center `0` if not given
    """

    width: Annotated[float, msgspec.Meta(gt=0.0)]
    center: float = 0.0


class EpochConfig(Section, frozen=True):
    """A part of the date that a number stands for.

    Attributes
    ----------
    part
        which part of the date, in UTC: those of `date`
    unit
        what the number counts since 1970: `s`, `ms` or `us`
    """

    part: DatePart
    unit: Literal["s", "ms", "us"]


class StepConfig(Section, frozen=True):
    """One step; exactly one key.

    Attributes
    ----------
    fill
        a value in the place of missing ones
    bucket
        the name of the bucket between rising edges, such as `< 18`, `18 to 65`, `>= 65`; an edge
        belongs to the bucket above it
    map
        other names for some categories; the others stay
    hash
        one of so many buckets (2 to 4,096) by hash, for more categories than can be told apart: a
        shift between buckets shows, one within a bucket does not, and no category is new
    date
        `hour`, `weekday` (0 is Monday), `day`, `month`, `year`, or `days` since 1970 of an ISO-8601
        date or time as it is written; any other text counts as not finite
    """

    fill: float | str | None = None
    clip: ClipConfig | None = None
    scale: ScaleConfig | None = None
    bucket: Annotated[tuple[float, ...], msgspec.Meta(min_length=1, max_length=100)] | None = None
    map: dict[str, str] | None = None
    hash: Annotated[int, msgspec.Meta(ge=2, le=4_096)] | None = None
    date: DatePart | None = None
    epoch: EpochConfig | None = None


PlainStep = Literal["log", "log1p", "lower"]
"""Steps without options."""

StepsConfig = tuple[PlainStep | StepConfig, ...]


def transform_of(given: StepsConfig, key: str, *, path: str, kind: Kind) -> Transform:
    """Check the steps of a column.

    Parameters
    ----------
    key
        Where they stand in the file.
    path, kind
        Of the field, and of the column.

    Raises
    ------
    ConfigError
        There is none, one is not right, or takes or gives another kind than stands beside it.
    """
    steps = [_step(item, f"{key}[{place}]") for place, item in enumerate(given)]
    if not steps:
        raise ConfigError(f"`{key}`: wanted at least one step, found none")
    for place, (before, step) in enumerate(pairwise(steps), 1):
        if step.takes is not before.gives:
            raise ConfigError(f"`{key}[{place}]`: wanted a step that takes {before.gives} values")
    if steps[-1].gives is not kind:
        raise ConfigError(f"`{key}`: the last step gives {steps[-1].gives} values, wanted {kind} ones")
    return Transform(path=path, steps=tuple(steps))


def _step(given: PlainStep | StepConfig, key: str) -> Step:
    if isinstance(given, StepConfig):
        return _with_options(given, key)
    match given:
        case "log":
            return Log()
        case "log1p":
            return Log(1.0)
        case "lower":
            return Lower()
        case _:
            assert_never(given)


def _with_options(given: StepConfig, key: str) -> Step:
    named = [name for name in given.__struct_fields__ if getattr(given, name) is not None]
    if len(named) != 1:
        raise ConfigError(f"`{key}`: wanted one step, found {', '.join(named) or 'none'}")
    return _of_numbers(given, key) or _of_texts(given)


def _of_numbers(given: StepConfig, key: str) -> Step | None:
    if isinstance(given.fill, float):
        return FillNumber(given.fill)
    if given.clip is not None:
        return _clip(given.clip, f"{key}.clip")
    if given.scale is not None:
        return Scale(given.scale.center, given.scale.width)
    if given.epoch is not None:
        return EpochDate(given.epoch.part, given.epoch.unit)
    return None if given.bucket is None else Bucket(_edges(given.bucket, f"{key}.bucket"))


def _of_texts(given: StepConfig) -> Step:
    if isinstance(given.fill, str):
        return FillText(given.fill)
    if given.map is not None:
        return Rename(tuple(given.map.items()))
    if given.hash is not None:
        return Hashed(given.hash)
    assert given.date is not None
    return Date(given.date)


def _clip(given: ClipConfig, key: str) -> Clip:
    low = -inf if given.low is None else given.low
    high = inf if given.high is None else given.high
    if given.low is None and given.high is None:
        raise ConfigError(f"`{key}`: wanted `low`, `high` or both, found neither")
    if low > high:
        raise ConfigError(f"`{key}.low`: found {low}, wanted at most `high` ({high})")
    return Clip(low, high)


def _edges(given: Sequence[float], key: str) -> tuple[float, ...]:
    # Names tell edges apart by six digits.
    shown = [f"{edge:g}" for edge in given]
    rising = all(low < high for low, high in pairwise(given))
    if not rising or len(set(shown)) < len(shown) or not all(map(isfinite, given)):
        raise ConfigError(f"`{key}`: found {', '.join(shown)}, wanted rising numbers of six digits at most")
    return tuple(given)
