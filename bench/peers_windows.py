"""Windows with and without drift from the real marginals, written once for every tool to read."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from bench.peers_case import STATIONARY, Rows

REFERENCE_ROWS = 5_000
WINDOW_ROWS = 500
SEED = 5
FEWEST_SHARE = 0.02
"""A category that vanishes holds at least this share, where one does that is not the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Columns of one file that are watched together, all numeric or all categorical."""

    model: str
    path: str
    numeric: bool
    columns: tuple[str, ...]


def _source(model: str, path: str, columns: str, *, numeric: bool = True) -> Source:
    return Source(model=model, path=path, numeric=numeric, columns=tuple(columns.split()))


_TELCO = "telco/WA_Fn-UseC_-Telco-Customer-Churn.csv.gz"
_BANK = "bank_marketing/bank-full.csv.gz"

SOURCES = (
    _source("telco", _TELCO, "tenure MonthlyCharges TotalCharges"),
    _source("elec2", "elec2/elec.csv.gz", "nswprice nswdemand vicprice vicdemand transfer"),
    _source(
        "california",
        "california_housing/california_housing_reference.csv.gz",
        "MedInc HouseAge AveRooms AveBedrms Population AveOccup Latitude Longitude",
    ),
    _source("bank", _BANK, "age balance day duration campaign pdays previous"),
    Source(
        model="ethereum",
        path="ethereum/Gemini_ETHUSD_1h.csv.gz",
        numeric=True,
        columns=("close", "Volume ETH", "Change%"),
    ),
    _source(
        "telco",
        _TELCO,
        "gender SeniorCitizen Partner Dependents PhoneService MultipleLines InternetService OnlineSecurity "
        "OnlineBackup DeviceProtection TechSupport StreamingTV StreamingMovies Contract PaperlessBilling "
        "PaymentMethod",
        numeric=False,
    ),
    _source(
        "bank",
        _BANK,
        "poutcome job marital education default housing loan contact month",
        numeric=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is drawn: draws of everything, windows before the drift, windows of each drift, models."""

    seeds: int
    stationary: int
    drifted: int
    sources: tuple[Source, ...] = SOURCES


FULL = Size(seeds=2, stationary=100, drifted=40)
QUICK = Size(seeds=1, stationary=20, drifted=10, sources=(SOURCES[0], SOURCES[4], SOURCES[6]))

Drift = Callable[[Rows, Rows, np.random.Generator], Rows]
"""From all rows of a column, and some that were drawn from it, to those as they are after the drift."""


def shifted(deviations: float) -> Drift:
    """Move the mean by some standard deviations of the whole column."""
    return lambda pool, drawn, _: drawn + deviations * pool.std()


def scaled(factor: float) -> Drift:
    """Stretch around the mean."""
    return lambda pool, drawn, _: pool.mean() + factor * (drawn - pool.mean())


def tilted(deviations: float) -> Drift:
    """Draw large values more often: in ranks the same shift, and no value that was not there before.

    A shift tears a column's ties apart, which any comparison of distribution functions sees at once. The
    weights ``exp(d s)``, s being standardised normal scores, shift a normal column by d standard deviations.
    """

    def drift(pool: Rows, drawn: Rows, rng: np.random.Generator) -> Rows:
        scores = ndtri((rankdata(pool) - 0.5) / pool.size)
        weights = np.exp(deviations * (scores - scores.mean()) / scores.std())
        return rng.choice(pool, size=drawn.shape, p=weights / weights.sum())

    return drift


def moved(share: float) -> Drift:
    """Turn rows of the most frequent category into the second; `share` is a share of all rows."""

    def drift(pool: Rows, drawn: Rows, rng: np.random.Generator) -> Rows:
        shares = np.bincount(pool) / pool.size
        second, first = np.argsort(shares, kind="stable")[-2:]
        hit = (drawn == first) & (rng.random(drawn.shape) < share / shares[first])
        return np.where(hit, second, drawn)

    return drift


def vanished(pool: Rows, drawn: Rows, _: np.random.Generator) -> Rows:
    """Turn the least frequent category worth a mention into the most frequent."""
    shares = np.bincount(pool) / pool.size
    ranked = np.argsort(shares, kind="stable")
    least = next((code for code in ranked[:-1] if shares[code] >= FEWEST_SHARE), ranked[-2])
    return np.where(drawn == least, ranked[-1], drawn)


def appeared(share: float) -> Drift:
    """Turn a share of all rows into a category that was never seen."""
    return lambda pool, drawn, rng: np.where(rng.random(drawn.shape) < share, pool.max() + 1, drawn)


DRIFTS: dict[bool, dict[str, Drift]] = {
    True: {
        "+.1 sd": shifted(0.1),
        "+.25 sd": shifted(0.25),
        "+.5 sd": shifted(0.5),
        "sd x 1.5": scaled(1.5),
        "ranks +.1": tilted(0.1),
        "ranks +.25": tilted(0.25),
    },
    False: {
        "5 % moved": moved(0.05),
        "10 % moved": moved(0.1),
        "vanished": vanished,
        "2 % new": appeared(0.02),
    },
}
"""By whether columns are numeric."""


def write(data: Path, folder: Path, size: Size) -> None:
    """Draw reference and windows of every model and seed; `peers_runner.load` reads them."""
    items = [
        item
        for place, source in enumerate(size.sources)
        for item in _write_source(_pool(data, source), source, place, folder, size)
    ]
    (folder / "cases.json").write_text(json.dumps(items))


def _write_source(
    pool: Rows, source: Source, place: int, folder: Path, size: Size
) -> Iterator[dict[str, object]]:
    for seed in range(size.seeds):
        rng = np.random.default_rng([SEED, place, seed])
        # Half of the columns drift, the other half with the next seed: a family all of which drifts flatters
        # those rules that correct for its size.
        drifted = (np.arange(len(source.columns)) + seed) % 2 == 0
        name = f"{source.model}-{'numeric' if source.numeric else 'categorical'}-{seed}"
        np.save(folder / f"{name}.npy", pool[rng.integers(len(pool), size=REFERENCE_ROWS)])
        phases: dict[str, str] = {}
        for count, phase in enumerate((STATIONARY, *DRIFTS[source.numeric])):
            windows = size.stationary if phase == STATIONARY else size.drifted
            drawn = pool[rng.integers(len(pool), size=(windows, WINDOW_ROWS))]
            if phase != STATIONARY:
                drift = DRIFTS[source.numeric][phase]
                for j in np.flatnonzero(drifted):
                    drawn[:, :, j] = drift(pool[:, j], drawn[:, :, j], rng)
            phases[phase] = f"{name}-{count}.npy"
            np.save(folder / phases[phase], drawn)
        yield {
            "seed": seed,
            "model": source.model,
            "numeric": source.numeric,
            "columns": source.columns,
            "drifted": drifted.tolist(),
            "reference": f"{name}.npy",
            "phases": phases,
        }


def _pool(data: Path, source: Source) -> Rows:
    """Return the complete rows of a file: doubles, or categories counted from 0 in alphabetical order."""
    with gzip.open(data / source.path, "rt", newline="") as file:
        table = [[row[name].strip() for name in source.columns] for row in csv.DictReader(file)]
    complete = [row for row in table if all(row)]
    if source.numeric:
        return np.array(complete, dtype=np.float64)
    return np.stack([np.unique(column, return_inverse=True)[1] for column in zip(*complete, strict=True)], 1)
