"""The laws that features follow, and how drift moves them."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detectors.base import FloatArray, Kind
from flows.scenarios.base import ScenarioError, Values


class Sampler(Protocol):
    """A distribution of numbers with a known standard deviation."""

    @property
    def sd(self) -> float:
        """Standard deviation."""
        ...

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        ...


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal distribution."""

    mean: float
    sd: float

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        return rng.normal(self.mean, self.sd, count)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Exponential of a normal with mean `mu` and standard deviation `sigma`."""

    mu: float
    sigma: float

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return self.mean * math.sqrt(math.expm1(self.sigma**2))

    @property
    def mean(self) -> float:
        """Expected value."""
        return math.exp(self.mu + self.sigma**2 / 2)

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        return rng.lognormal(self.mu, self.sigma, count)


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma distribution with mean ``shape * scale``."""

    shape: float
    scale: float

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.shape) * self.scale

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        return rng.gamma(self.shape, self.scale, count)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Uniform distribution on ``[low, high)``."""

    low: float
    high: float

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return (self.high - self.low) / math.sqrt(12)

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        return rng.uniform(self.low, self.high, count)


@dataclass(frozen=True, slots=True)
class Beta:
    """Beta distribution, for scores in ``0..1``."""

    a: float
    b: float

    @property
    def sd(self) -> float:
        """Standard deviation."""
        total = self.a + self.b
        return math.sqrt(self.a * self.b / (total + 1)) / total

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        return rng.beta(self.a, self.b, count)


@dataclass(frozen=True, slots=True)
class Poisson:
    """Poisson distribution, for counts."""

    mean: float

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.mean)

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        return rng.poisson(self.mean, count).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ZeroInflated:
    """Exactly 0 with probability `zeros`, else lognormal."""

    zeros: float
    positive: LogNormal

    @property
    def sd(self) -> float:
        """Standard deviation."""
        share = 1 - self.zeros
        variance = share * self.positive.sd**2 + share * self.zeros * self.positive.mean**2
        return math.sqrt(variance)

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw independent values, shape ``(count,)``."""
        positive = self.positive.draw(rng, count)
        return np.where(rng.random(count) < self.zeros, 0.0, positive)


class Law(Protocol):
    """What a feature's values follow without drift, with it, and between."""

    @property
    def kind(self) -> Kind:
        """What the column holds."""
        ...

    @property
    def effect(self) -> str:
        """What full drift does, in words; "none" where it does nothing."""
        ...

    def draw(self, rng: np.random.Generator, levels: FloatArray) -> Values:
        """Draw one value per row.

        Parameters
        ----------
        levels
            Shape ``(count,)``, from 0 (the reference law) to 1 (full drift).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericLaw:
    """Numbers; drift multiplies them and moves their mean.

    Attributes
    ----------
    factor
        By which full drift multiplies a value.
    shift_sd
        What full drift adds to a value, in standard deviations of `sampler`.
    decimals
        Digits kept behind the point; None: all.
    integer
        Values are whole numbers and written as such.
    """

    sampler: Sampler
    factor: float = 1.0
    shift_sd: float = 0.0
    decimals: int | None = None
    integer: bool = False

    @property
    def kind(self) -> Kind:
        """What the column holds."""
        return Kind.NUMERIC

    @property
    def effect(self) -> str:
        """What full drift does, in words."""
        parts = [f"values times {self.factor:g}"] if self.factor != 1.0 else []
        if self.shift_sd:
            parts.append(f"mean {self.shift_sd:+g} sd")
        return ", ".join(parts) or "none"

    def draw(self, rng: np.random.Generator, levels: FloatArray) -> Values:
        """Draw one value per row, shape ``(count,)``."""
        values = self.sampler.draw(rng, levels.size)
        values = values * (1.0 + levels * (self.factor - 1.0)) + levels * (self.shift_sd * self.sampler.sd)
        if self.integer:
            return np.rint(values).astype(np.int64)
        return values if self.decimals is None else np.round(values, self.decimals)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalLaw:
    """Texts with given shares; drift replaces the shares.

    Attributes
    ----------
    shares
        Probability of each of `levels` in the reference; 0 for a level that only drift brings.
    drifted
        The same under full drift; None: no change.

    Raises
    ------
    ScenarioError
        Shares are negative, do not sum to 1, or are not one per level.
    """

    levels: tuple[str, ...]
    shares: tuple[float, ...]
    drifted: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for shares in (self.shares, self.drifted or self.shares):
            right = len(shares) == len(self.levels) and min(shares) >= 0 and math.isclose(sum(shares), 1.0)
            if not right:
                raise ScenarioError(
                    f"shares are {shares}, wanted {len(self.levels)} that sum to 1: give one per level"
                )

    @property
    def kind(self) -> Kind:
        """What the column holds."""
        return Kind.CATEGORICAL

    @property
    def effect(self) -> str:
        """What full drift does, in words: the level whose share moves most."""
        if self.drifted is None:
            return "none"
        moves = [abs(new - old) for old, new in zip(self.shares, self.drifted, strict=True)]
        most = moves.index(max(moves))
        return f"share of {self.levels[most]} {self.shares[most]:.3g} -> {self.drifted[most]:.3g}"

    def draw(self, rng: np.random.Generator, levels: FloatArray) -> Values:
        """Draw one text per row; a level between 0 and 1 mixes the two laws."""
        uniform = rng.random(levels.size)
        chosen = self._pick(self.shares, uniform)
        if self.drifted is not None:
            # A coin below 1 always and below 0 never: whole levels need no case of their own.
            moved = rng.random(levels.size) < levels
            chosen = np.where(moved, self._pick(self.drifted, uniform), chosen)
        texts: list[str | None] = np.array(self.levels, dtype=object)[chosen].tolist()
        return texts

    @staticmethod
    def _pick(shares: tuple[float, ...], uniform: FloatArray) -> np.typing.NDArray[np.intp]:
        """Invert the distribution function of `shares`; the last sum may round to less than 1."""
        sums = np.cumsum(shares)
        return np.searchsorted(sums / sums[-1], uniform, side="right")


def zipf_shares(levels: int, exponent: float = 1.0) -> tuple[float, ...]:
    """Return shares proportional to ``1 / rank ** exponent``, as names and places have them (Zipf's law)."""
    weights = np.arange(1, levels + 1, dtype=np.float64) ** -exponent
    return tuple((weights / weights.sum()).tolist())
