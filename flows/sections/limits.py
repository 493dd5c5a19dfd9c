"""Limits of checks as a configuration gives them, in place of those from the reference."""

from collections.abc import Collection, Mapping

from detectors.checks import Given
from flows.config_values import ConfigError
from flows.sections.base import Section


class LimitConfig(Section, frozen=True):
    """Limits in place of the reference's; null: that side is not looked at.

    Attributes
    ----------
    min
        the smallest that is allowed
    max
        the largest that is allowed
    """

    min: float | None = None
    max: float | None = None


def check_limit(limit: LimitConfig, key: str) -> None:
    """Refuse a limit that nothing or everything fulfils; raises `ConfigError`."""
    if limit.min is None and limit.max is None:
        raise ConfigError(f"`{key}`: found neither `min` nor `max`, wanted at least one")
    if limit.min is not None and limit.max is not None and limit.min > limit.max:
        raise ConfigError(f"`{key}.min`: found {limit.min:g}, wanted at most `max` ({limit.max:g})")


def given_limits(limits: Mapping[str, LimitConfig], key: str, known: Collection[str]) -> dict[str, Given]:
    """Check limits by the name of their check.

    Raises
    ------
    ConfigError
        There is no such check, or a limit means nothing.
    """
    for name, limit in limits.items():
        if name not in known:
            raise ConfigError(f"`{key}`: found the check {name!r}, wanted one of {', '.join(known)}")
        check_limit(limit, f"{key}.{name}")
    return {
        name: Given(lower=limit.min, upper=limit.max, source=f"{key}.{name}")
        for name, limit in limits.items()
    }
