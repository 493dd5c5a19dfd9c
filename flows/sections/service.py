"""What driftflow serve goes by."""

import re
from collections.abc import Mapping

from flows.config_values import ConfigError
from flows.sections.base import Section
from service.ports import Rate

_RATE = re.compile(r"([0-9]{1,9})/(second|minute|hour|day)")
_SECONDS: Mapping[str, int] = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


class ServiceConfig(Section, frozen=True):
    """The service; configurations that are served together say the same here, or nothing.

    Attributes
    ----------
    rate_limit
        requests that one key, or one address where no key is sent, may make to the REST API: a number per
        `second`, `minute`, `hour` or `day`, counted over any such span; `null`: without a bound
    upload_limit
        of those, files and rows that are sent to be compared or built from; attempts to log in count too
    audit_log
        file that gets a line for each change and each refusal; `-`: standard output; `null`: none. A relative
        path starts at the folder of the first configuration that is served
    """

    rate_limit: str | None = "1200/minute"
    upload_limit: str | None = "60/minute"
    audit_log: str | None = None


def service_rates(given: ServiceConfig) -> dict[str, Rate]:
    """Read the rates, by what they count in `service.rate_limit`; raises `ConfigError`."""
    texts = {"requests": ("rate_limit", given.rate_limit), "uploads": ("upload_limit", given.upload_limit)}
    return {name: _rate(text, f"service.{key}") for name, (key, text) in texts.items() if text is not None}


def _rate(text: str, key: str) -> Rate:
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ConfigError(
            f"`{key}`: found {text!r}, wanted a number per second, minute, hour or day such as '600/minute', "
            "or null for no bound"
        )
    return Rate(amount=int(match[1]), seconds=_SECONDS[match[2]])
