"""All detectors by name: the built-in ones, then those of installed plug-ins.

A plug-in declares a class that is built without arguments and meets `detectors.base.Detector`, under the
name that the class carries::

    [project.entry-points."driftflow.detectors"]
    kuiper = "my_package.kuiper:Kuiper"
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from detectors.base import Detector, DriftflowError, Kind
from detectors.divergences import JensenShannon, Psi
from detectors.energy import EnergyDistance
from detectors.group_distances import Hellinger, KullbackLeibler, LInfinity, TotalVariation
from detectors.integrals import AndersonDarling, CramerVonMises
from detectors.means import MeanShift
from detectors.ordered import KolmogorovSmirnov
from detectors.plugins import PluginKind
from detectors.ranks import RankMean, RankScale
from detectors.significance import ChiSquare
from detectors.transport import Wasserstein

ENTRY_POINT_GROUP = "driftflow.detectors"

_BUILT_IN: Mapping[str, Detector] = MappingProxyType(
    {
        "ks": KolmogorovSmirnov(),
        "chi2": ChiSquare(),
        "psi": Psi(),
        "js": JensenShannon(),
        "wasserstein": Wasserstein(),
        "mean_shift": MeanShift(),
        "cvm": CramerVonMises(),
        "ad": AndersonDarling(),
        "rank_mean": RankMean(),
        "rank_scale": RankScale(),
        "energy": EnergyDistance(),
        "kl": KullbackLeibler(),
        "hellinger": Hellinger(),
        "tv": TotalVariation(),
        "linf": LInfinity(),
    }
)

DECIDING = ("ks", "chi2", "psi", "mean_shift")
"""Detectors without which there is no verdict: the tests, the effect, and the direction."""

BY_DEFAULT = ("ks", "chi2", "psi", "js", "wasserstein", "mean_shift")
"""Detectors that measure every window where nothing else is configured."""


class UnknownDetectorError(DriftflowError):
    """No detector has the name asked for."""


class DetectorPluginError(DriftflowError):
    """A plug-in declares a detector that cannot be used."""


def detector(name: str) -> Detector:
    """Return the detector of this name.

    Raises
    ------
    UnknownDetectorError
        There is none; the message lists those there are.
    DetectorPluginError
        An installed plug-in declares a detector that cannot be used.
    """
    found = _registered().get(name)
    if found is None:
        raise UnknownDetectorError(
            f"There is no detector {name!r}; choose one of {', '.join(detector_names())}, "
            "or install the package that declares it."
        )
    return found


def detector_names() -> list[str]:
    """Return all names, built-in detectors first, then plug-ins in alphabetical order.

    Examples
    --------
    >>> detector_names()[:3]
    ['ks', 'chi2', 'psi']
    """
    return list(_registered())


def for_kind(kind: Kind, names: Collection[str] | None = None) -> list[Detector]:
    """Return the detectors that measure columns of this kind, in the order of `detector_names`.

    Parameters
    ----------
    names
        Of those wanted; None: all there are.
    """
    return [
        each
        for name, each in _registered().items()
        if kind in each.kinds and (names is None or name in names)
    ]


@cache
def _registered() -> Mapping[str, Detector]:
    return _with_plugins(entry_points(group=ENTRY_POINT_GROUP))


def _with_plugins(plugins: Iterable[EntryPoint]) -> Mapping[str, Detector]:
    return _PLUGINS.table(_BUILT_IN, plugins)


def _build(declared: Callable[[], Detector]) -> Detector:
    return declared()


_PLUGINS: PluginKind[Detector] = PluginKind(
    what="detector",
    protocol="detectors.base.Detector",
    attributes=("name", "kinds", "has_p_value", "compare", "limit"),
    make=_build,
    error=DetectorPluginError,
)
