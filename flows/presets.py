"""Presets: what other tools decide by, as settings of the section `detection` that a file may overrule."""

from collections.abc import Iterator, Mapping
from math import log, sqrt
from types import MappingProxyType

from flows.config_values import ConfigError
from flows.preset_names import Preset

Settings = Mapping[str, object]
"""Keys and values as they would stand in the file, sections within sections."""

ANY_COLUMN = 1e-6
"""Share of drifting columns that a single one has."""

_PER_NAT = 1 / sqrt(log(2))
"""A Jensen-Shannon distance in bits over the same in nats."""


PRESETS: Mapping[Preset, Settings] = MappingProxyType(
    {
        Preset.CALIBRATED: {},
        Preset.KS_CLASSIC: {
            "rule": "window",
            "correction": "none",
            "false_discovery_rate": 0.05,
            "effect_level": 1.0,
            "min_rows": 1,
            "drift_share": 0.5,
        },
        Preset.PSI_CLASSIC: {
            "rule": "threshold",
            "threshold": {"method": "psi", "kind": "constant", "options": {"value": 0.1}},
            "medium": 0.1,
            "high": 0.25,
            "min_rows": 1,
        },
        Preset.EVIDENTLY: {
            "rule": "threshold",
            "threshold": {
                "method": "wasserstein",
                "kind": "constant",
                "options": {"value": 0.1, "unit": "deviation"},
                "categorical": {"method": "js", "kind": "constant", "options": {"value": 0.1 * _PER_NAT}},
            },
            "min_rows": 1,
            "drift_share": 0.5,
        },
        Preset.NANNYML: {
            "rule": "threshold",
            "threshold": {"method": "js", "kind": "chunks", "options": {"sigmas": 3, "least": 2}},
            "min_rows": 1,
            "drift_share": ANY_COLUMN,
        },
        Preset.ALIBI: {
            "rule": "window",
            "correction": "bonferroni",
            "false_discovery_rate": 0.05,
            "effect_level": 1.0,
            "min_rows": 1,
            "drift_share": ANY_COLUMN,
        },
        Preset.SAGEMAKER: {
            "rule": "threshold",
            "threshold": {
                "method": "ks",
                "kind": "constant",
                "options": {"value": 0.1, "margin": 1.8},
                "categorical": {
                    "method": "linf",
                    "kind": "constant",
                    "options": {"value": 0.1, "margin": 1.8},
                },
            },
            "min_rows": 1,
            "drift_share": ANY_COLUMN,
        },
    }
)
"""By name; where they are from, and what differs from the tools themselves: docs/presets.md."""


def with_preset(plain: object) -> object:
    """Put the settings of the preset that a file names under the file's own, which win.

    Parameters
    ----------
    plain
        What the file says, as it was read; what is no mapping is left for the check of types to refuse.

    Raises
    ------
    ConfigError
        There is no such preset.
    """
    detection = plain.get("detection") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or not isinstance(detection, dict) or "preset" not in detection:
        return plain
    try:
        preset = Preset(detection["preset"])
    except ValueError as error:
        raise ConfigError(
            f"`detection.preset`: found {detection['preset']!r}, wanted one of {', '.join(Preset)}"
        ) from error
    return {**plain, "detection": _under(PRESETS[preset], detection)}


def settings_of(preset: Preset) -> Iterator[tuple[str, object]]:
    """List the settings of a preset by their path in the file; options of a limit are one setting.

    Examples
    --------
    >>> dict(settings_of(Preset.PSI_CLASSIC))["detection.threshold.method"]
    'psi'
    """
    yield from _flat(PRESETS[preset], "detection")


def _under(settings: Settings, own: Mapping[object, object]) -> dict[object, object]:
    """Lay a file's own keys over settings; options of a limit do not outlive its score and its kind."""
    merged = dict(own)
    for key, given in settings.items():
        mine = own.get(key)
        if key not in own:
            merged[key] = given
        elif isinstance(given, Mapping) and isinstance(mine, Mapping):
            merged[key] = _under(given, mine)
    if any(own.get(key, settings.get(key)) != settings.get(key) for key in ("method", "kind")):
        merged["options"] = own.get("options", {})
    return merged


def _flat(settings: Settings, path: str) -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and key != "options":
            yield from _flat(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value
