"""What a configuration's detection section turns into."""

from pathlib import Path

import pytest

from detectors.registry import BY_DEFAULT, DECIDING
from flows.config import Config, parse_config
from flows.config_values import ConfigError
from flows.detection import measured_by

CONFIG = """
model: {name: credit}
input: {path: events}
time: {rows: true}
windows: {block: {size: 500 rows}}
columns: {x: {kind: numeric}}
"""


def config_of(detection: str = "") -> Config:
    return parse_config(CONFIG + detection, folder=Path())


def test_what_measures_by_default() -> None:
    assert measured_by(config_of()) == set(BY_DEFAULT)


def test_what_decides_measures_whatever_is_chosen() -> None:
    assert measured_by(config_of("detection: {detectors: []}")) == set(DECIDING)
    assert measured_by(config_of("detection: {detectors: [cvm, ks]}")) == {*DECIDING, "cvm"}


def test_the_score_with_a_limit_is_measured() -> None:
    given = "detection: {rule: threshold, detectors: [], threshold: {method: hellinger}}"
    assert measured_by(config_of(given)) == {*DECIDING, "hellinger"}
    # No other rule asks for it.
    given = "detection: {detectors: [], threshold: {method: hellinger}}"
    assert measured_by(config_of(given)) == set(DECIDING)


def test_a_detector_that_is_not_there_is_refused() -> None:
    config = config_of("detection: {detectors: [ks, cramer]}")
    with pytest.raises(ConfigError, match="no detector 'cramer'; choose one"):
        measured_by(config)
