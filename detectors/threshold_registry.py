"""All thresholds by name: the built-in ones, then those of installed plug-ins.

A plug-in declares a frozen dataclass that meets `detectors.thresholds.Threshold` and whose fields are its
options, under the name that the class carries::

    [project.entry-points."driftflow.thresholds"]
    median = "my_package.median:MedianBand"
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

import msgspec

from detectors.base import DriftflowError
from detectors.chunk_limit import ChunkBand, ReferenceChunks
from detectors.plugins import PluginKind
from detectors.thresholds import Constant, Ewma, History, Threshold, ThresholdOptionError

ENTRY_POINT_GROUP = "driftflow.thresholds"

_BUILT_IN: Mapping[str, type[Threshold]] = MappingProxyType(
    {each.name: each for each in (Constant, History, Ewma, ReferenceChunks, ChunkBand)}
)


class UnknownThresholdError(DriftflowError):
    """No threshold has the name asked for."""


class ThresholdPluginError(DriftflowError):
    """A plug-in declares a threshold that cannot be used."""


def threshold(name: str, options: Mapping[str, object]) -> Threshold:
    """Build the threshold of this name.

    Raises
    ------
    UnknownThresholdError
        There is none; the message lists those there are.
    ThresholdOptionError
        An option is not known, is missing, or has a value that it cannot have.
    ThresholdPluginError
        An installed plug-in declares a threshold that cannot be used.
    """
    found = _registered().get(name)
    if found is None:
        raise UnknownThresholdError(
            f"There is no threshold {name!r}; choose one of {', '.join(threshold_names())}, "
            "or install the package that declares it."
        )
    known = option_names(name)
    for option in options:
        if option not in known:
            raise ThresholdOptionError(
                f"`{option}`: no option of threshold {name!r}, which has {', '.join(known) or 'none'}"
            )
    try:
        return msgspec.convert(dict(options), type=found)
    except msgspec.ValidationError as error:
        # The cause of what a constructor refuses says it in its own words.
        cause = error.__cause__
        said = str(cause) if isinstance(cause, ThresholdOptionError) else f"threshold {name!r}: {error}"
        raise ThresholdOptionError(said) from error


def threshold_names() -> list[str]:
    """Return all names, built-in thresholds first, then plug-ins in alphabetical order.

    Examples
    --------
    >>> threshold_names()[:4]
    ['constant', 'history', 'ewma', 'reference']
    """
    return list(_registered())


def option_names(name: str) -> list[str]:
    """Return the options of a threshold that is registered.

    Examples
    --------
    >>> option_names("ewma")
    ['span', 'sigmas', 'least', 'exceeding']
    """
    found: Any = _registered()[name]
    return [each.name for each in fields(found) if each.init]


@cache
def _registered() -> Mapping[str, type[Threshold]]:
    return _with_plugins(entry_points(group=ENTRY_POINT_GROUP))


def _with_plugins(plugins: Iterable[EntryPoint]) -> Mapping[str, type[Threshold]]:
    return _PLUGINS.table(_BUILT_IN, plugins)


def _declared(found: type[Threshold]) -> type[Threshold]:
    if "__dataclass_fields__" not in vars(found):
        raise TypeError("it is no dataclass, so its options have no names")
    return found


_PLUGINS: PluginKind[type[Threshold]] = PluginKind(
    what="threshold",
    protocol="detectors.thresholds.Threshold",
    attributes=("name", "start", "judge"),
    make=_declared,
    error=ThresholdPluginError,
)
