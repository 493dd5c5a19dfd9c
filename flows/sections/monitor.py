"""The monitor itself: which of its processes are looked at, and when somebody is told."""

import re

from alerts.watches import MonitorRules
from flows.config_values import ConfigError, span_of
from flows.sections.base import Positive, Section, Share
from state.durations import Axis

_KEY = "alerts.monitor"
_ADDRESS = re.compile(r"(?:http://)?(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})(?:/metrics)?/?")
_MOST_PORT = 65_535


class MonitorConfig(Section, frozen=True):
    """Alerts on driftflow itself, of kind `monitor`; spans are of the wall clock, `null` looks at none of it.

    Attributes
    ----------
    workers
        addresses of the workers' [metrics](metrics.md), such as `127.0.0.1:9090`, one per process; without
        them only silence and the store are looked at
    interval
        how often they are asked
    watermark
        how long the smallest watermark may stand still
    lag
        how long the lag of all partitions together may grow
    silence
        how long no event and no report may come; a few times the shortest window is a good start
    dead_letters
        share of the records of the last 10 minutes that may be refused
    dead_letters_least
        refused records of the last 10 minutes below which their share says nothing
    open_after
        how long something must last, beyond the spans above, before it is told
    close_after
        how long it must be gone before that is told
    """

    workers: tuple[str, ...] = ()
    interval: str = "30s"
    watermark: str | None = "10m"
    lag: str | None = "15m"
    silence: str | None = None
    dead_letters: Share | None = 0.01
    dead_letters_least: Positive = 10
    open_after: str = "2m"
    close_after: str = "5m"


def checked_monitor(given: MonitorConfig, *, model: tuple[str, str]) -> MonitorRules:
    """Check the section; raises `ConfigError`.

    Parameters
    ----------
    model
        Its name and its version.
    """
    worker_addresses(given)
    interval_ms(given)
    return MonitorRules(
        model=model[0],
        model_version=model[1],
        watermark_ms=_span(given.watermark, "watermark"),
        lag_ms=_span(given.lag, "lag"),
        silence_ms=_span(given.silence, "silence"),
        refused_share=given.dead_letters,
        refused_least=given.dead_letters_least,
        open_ms=span_of(given.open_after, Axis.MILLISECONDS, f"{_KEY}.open_after"),
        close_ms=span_of(given.close_after, Axis.MILLISECONDS, f"{_KEY}.close_after"),
    )


def worker_addresses(given: MonitorConfig) -> tuple[tuple[str, int], ...]:
    """Read where workers are asked; raises `ConfigError`."""
    found = []
    for text in given.workers:
        match = _ADDRESS.fullmatch(text.strip())
        if match is None or not 0 < int(match[2]) <= _MOST_PORT:
            raise ConfigError(
                f"`{_KEY}.workers`: found {text!r}, wanted a host and a port such as '127.0.0.1:9090'"
            )
        found.append((match[1].strip("[]"), int(match[2])))
    if len(set(found)) < len(found):
        raise ConfigError(f"`{_KEY}.workers`: found an address twice, wanted each once")
    return tuple(found)


def interval_ms(given: MonitorConfig) -> int:
    """Read how often to look; raises `ConfigError`."""
    found = span_of(given.interval, Axis.MILLISECONDS, f"{_KEY}.interval")
    if found < 1_000:  # noqa: PLR2004 - a second
        raise ConfigError(f"`{_KEY}.interval`: found {given.interval!r}, wanted at least '1s'")
    return found


def _span(text: str | None, key: str) -> int | None:
    found = None if text is None else span_of(text, Axis.MILLISECONDS, f"{_KEY}.{key}")
    if found == 0:
        raise ConfigError(f"`{_KEY}.{key}`: found {text!r}, wanted a span above 0, or null for never")
    return found
