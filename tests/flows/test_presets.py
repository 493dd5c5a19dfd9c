"""Presets: settings that a file overrules, and verdicts that are those of the tools they are named for."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from detectors.base import FloatArray, IntArray
from detectors.multiplicity import Correction
from detectors.verdicts import Rule
from flows.config import Config, parse_config
from flows.config_values import ConfigError
from flows.detection import watched_of
from flows.inline import run_inline
from flows.input import config_input, partition_opener
from flows.plan import make_plan
from flows.preset_names import Preset
from flows.presets import PRESETS, settings_of
from flows.reference_build import build_reference
from state.generations import Generations
from state.reference import Bins, Reference
from state.report import Output
from state.sketches.numeric import NumericBins
from state.stores.base import StoredEvent

CONFIG = """
model: {name: peers}
input: {path: events.jsonl}
time: {rows: true}
columns:
  x: {kind: numeric}
  y: {kind: numeric}
  c: {kind: categorical}
  d: {kind: categorical}
windows: {block: {size: 500 rows}}
"""

REFERENCE_ROWS, ROWS, WINDOWS = 5_000, 500, 40
NUMERIC, CATEGORICAL = ("x", "y"), ("c", "d")
_SHARES = {"c": np.array([0.4, 0.3, 0.15, 0.1, 0.05]), "d": np.array([0.6, 0.25, 0.15])}


def config_of(detection: str, folder: Path = Path()) -> Config:
    return parse_config(f"{CONFIG}detection: {detection}\n", folder=folder)


def test_without_a_preset_nothing_is_set() -> None:
    assert config_of("{}").file == config_of("{preset: calibrated}").file
    assert not dict(settings_of(Preset.CALIBRATED))


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_is_an_accepted_configuration(preset: Preset, built: Reference) -> None:
    config = config_of(f"{{preset: {preset}}}")
    watched = watched_of(config, [built])
    assert (watched is None) == (config.rules.rule is not Rule.THRESHOLD)


def test_the_keys_of_the_file_win() -> None:
    config = config_of("{preset: alibi, correction: none, min_rows: 30}")
    assert (config.rules.correction, config.rules.min_rows) == (Correction.NONE, 30)
    # The rest is the preset's.
    assert (config.rules.rule, config.rules.effect_level) == (Rule.WINDOW, 1.0)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("{options: {value: 0.2}}", {"value": 0.2, "unit": "deviation"}),
        ("{kind: constant}", {"value": 0.1, "unit": "deviation"}),
        # Another score or kind of limit takes its own options.
        ("{kind: history}", {}),
        ("{method: psi, options: {value: 0.3}}", {"value": 0.3}),
    ],
)
def test_options_go_with_the_score_and_the_kind_that_they_are_for(
    given: str, options: dict[str, object]
) -> None:
    found = config_of(f"{{preset: evidently, threshold: {given}}}").file.detection.threshold
    assert found.options == options
    # What is said of categories is the preset's still.
    assert found.categorical is not None
    assert found.categorical.method == "js"


@pytest.mark.parametrize("given", ["evidnetly", "[]", "3"])
def test_another_preset_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match=r"`detection.preset`: found .*, wanted one of calibrated, ks-cl"):
        config_of(f"{{preset: {given}}}")


def test_what_is_no_mapping_is_refused_as_ever() -> None:
    with pytest.raises(ConfigError, match=r"\$.detection"):
        config_of("7")


@pytest.mark.parametrize("preset", list(Preset))
def test_the_page_tells_every_setting(preset: Preset) -> None:
    page = (Path(__file__).parents[2] / "docs" / "presets.md").read_text()
    _, _, section = page.partition(f"## `{preset}`")
    section, _, _ = section.partition("\n## ")
    assert section
    for path, value in settings_of(preset):
        assert f"| `{path.removeprefix('detection.')}` | `{_written(value)}` |" in section


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


Columns = dict[str, FloatArray]
"""Rows by column; categories by their number."""


def _draw(rng: np.random.Generator, rows: int, drift: float) -> Columns:
    """Rows that drift: values move by so many deviations, categories by a part of what the first one has."""
    moved = {}
    for name, shares in _SHARES.items():
        away = np.array([-1.0, *([1 / (len(shares) - 1)] * (len(shares) - 1))]) * drift * 0.4 * shares[0]
        moved[name] = rng.choice(len(shares), rows, p=shares + away).astype(np.float64)
    return {
        "x": rng.normal(drift, 1.0, rows),
        "y": rng.lognormal(drift * 0.7, 0.7, rows),
        **moved,
    }


@cache
def _reference_rows() -> Columns:
    return _draw(np.random.default_rng(1), REFERENCE_ROWS, 0.0)


@cache
def _windows() -> tuple[Columns, ...]:
    rng = np.random.default_rng(2)
    return tuple(_draw(rng, ROWS, 0.8 * k / WINDOWS) for k in range(WINDOWS))


def _write(path: Path, parts: tuple[Columns, ...]) -> None:
    with path.open("w") as file:
        for part in parts:
            for x, y, c, d in zip(*(part[name].tolist() for name in "xycd"), strict=True):
                file.write(json.dumps({"x": x, "y": y, "c": f"c{c:.0f}", "d": f"d{d:.0f}"}) + "\n")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        _write(Path(name) / "reference.jsonl", (_reference_rows(),))
        _write(Path(name) / "events.jsonl", _windows())
        yield Path(name)


@pytest.fixture(scope="module")
def built(folder: Path) -> Reference:
    config = config_of("{}", folder)
    source = config_input(config, folder / "reference.jsonl")
    detectors = ("psi", "js", "wasserstein", "linf")
    return build_reference(source, config.columns, model="peers", now_ms=0, detectors=detectors).reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Raw rows of both sides of one column, and their rows over the frozen groups."""

    name: str
    before: FloatArray
    now: FloatArray
    groups_before: IntArray
    groups_now: IntArray
    chunks: tuple[IntArray, ...]


Called = tuple[bool, bool]
"""What a tool calls, and whether its figure is so near its limit that frozen bins may tell otherwise."""


def _p_value(side: Side) -> float:
    if side.name in NUMERIC:
        return float(ks_2samp(side.before, side.now, method="asymp").pvalue)
    table = np.array([side.groups_before, side.groups_now])
    return float(chi2_contingency(table[:, table.any(axis=0)], correction=False).pvalue)


def ks_classic(side: Side, level: float = 0.05) -> Called:
    p_value = _p_value(side)
    # A grid's p-value is an approximation, and both tests allow for what dependence the reference shows.
    return p_value < level, level / 2 < p_value < 2 * level


def alibi(side: Side) -> Called:
    # KSDrift and ChiSquareDrift: a feature is below p_val over the number of features.
    return ks_classic(side, 0.05 / 4)


def psi_classic(side: Side) -> Called:
    p, q = (counts + 0.5 for counts in (side.groups_before, side.groups_now))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum()) > 0.1, False


def evidently(side: Side) -> Called:
    # legacy/calculations/stattests: Wasserstein over the deviation, and scipy's Jensen-Shannon in nats.
    if side.name in CATEGORICAL:
        return float(jensenshannon(side.groups_before, side.groups_now)) >= 0.1, False
    distance = wasserstein_distance(side.before, side.now) / max(float(np.std(side.before)), 0.001)
    return bool(distance >= 0.1), bool(0.1 <= distance < 0.103)


def nannyml(side: Side) -> Called:
    # Jensen-Shannon in bits; mean and three deviations (numpy's) of the reference's chunks.
    scores = [float(jensenshannon(side.groups_before, chunk, base=2)) for chunk in side.chunks]
    found = float(jensenshannon(side.groups_before, side.groups_now, base=2))
    return found > float(np.mean(scores) + 3 * np.std(scores)), False


def sagemaker(side: Side) -> Called:
    # Deequ's Distance: the largest difference less 1.8 sqrt((n + m) / nm).
    noise = 1.8 * sqrt(1 / side.before.size + 1 / side.now.size)
    if side.name in NUMERIC:
        found = float(ks_2samp(side.before, side.now, method="asymp").statistic) - noise
        return found > 0.1, 0.1 < found < 0.1 + 1 / 64
    p, q = side.groups_before / side.before.size, side.groups_now / side.now.size
    return float(np.abs(q - p).max()) - noise > 0.1, False


PEERS: dict[Preset, Callable[[Side], Called]] = {
    Preset.KS_CLASSIC: ks_classic,
    Preset.PSI_CLASSIC: psi_classic,
    Preset.EVIDENTLY: evidently,
    Preset.NANNYML: nannyml,
    Preset.ALIBI: alibi,
    Preset.SAGEMAKER: sagemaker,
}


def _sides(built: Reference, window: Columns) -> dict[str, Side]:
    found = {}
    for name in (*NUMERIC, *CATEGORICAL):
        bins = built.feature(name).bins

        groups = int(bins.groups.max()) + 1
        before, now = _reference_rows()[name], window[name]
        found[name] = Side(
            name=name,
            before=before,
            now=now,
            groups_before=_counted(before, bins, groups),
            groups_now=_counted(now, bins, groups),
            chunks=tuple(_counted(rows, bins, groups) for rows in np.split(before, 10)),
        )
    return found


def _counted(rows: FloatArray, bins: Bins, groups: int) -> IntArray:
    if isinstance(bins, NumericBins):
        return np.bincount(bins.groups[np.searchsorted(bins.edges, rows)], minlength=groups)
    return np.bincount(rows.astype(np.int64), minlength=groups)


def _verdicts(preset: Preset, folder: Path, built: Reference) -> list[dict[str, bool]]:
    """Which columns each window calls, by a run with the preset and nothing else."""
    config = config_of(f"{{preset: {preset}}}", folder)
    source = config_input(config)
    opener = partition_opener(config, source, config.state_fingerprint(built.version))
    outputs: list[Output] = []
    run_inline(make_plan(config, Generations((built,)), tuple(source.readers), opener), outputs.extend)
    events = [json.loads(item.body) for item in outputs if isinstance(item, StoredEvent)]
    reports = [event["data"] for event in events if event["type"] == "io.driftflow.window.report"]
    return [
        {feature["feature"]: feature["verdict"] == "drift" for feature in report["features"]}
        for report in reports
    ]


@pytest.mark.parametrize("preset", list(PEERS))
def test_verdicts_are_those_of_the_tool(preset: Preset, folder: Path, built: Reference) -> None:
    found = _verdicts(preset, folder, built)
    assert len(found) == WINDOWS
    clear: dict[bool, int] = {True: 0, False: 0}
    for window, verdicts in zip(_windows(), found, strict=True):
        for name, side in _sides(built, window).items():
            called, near = PEERS[preset](side)
            if not near:
                assert verdicts[name] == called, f"{name}: {preset} says {called}"
                clear[called] += 1
    # Of 160 verdicts most are clear, and there are both.
    assert sum(clear.values()) > 120
    assert min(clear.values()) > 20


def test_presets_are_all_held_to_a_tool() -> None:
    assert {*PEERS, Preset.CALIBRATED} == set(PRESETS)
