"""A mergeable sample of record keys with their counts, and what it says of records that came twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from detectors.base import IntArray

MOST_KEYS = 1_024
"""Keys that are kept of a span: below so many different ones, what is said of them is exact."""

NO_KEY = -1
"""Stands for a record without a key; no key hashes to it."""


def key_sample(hashes: IntArray) -> IntArray:
    """Count the keys with the smallest hashes.

    Parameters
    ----------
    hashes
        Of the key of each record, at least 0; `NO_KEY` is passed over. Shape ``(records,)``, in any order.

    Returns
    -------
    IntArray
        Hash and number of records, smallest hash first, shape ``(at most MOST_KEYS, 2)``.
    """
    ordered = np.sort(hashes[hashes >= 0])
    first = _first_of_each(ordered)[: MOST_KEYS + 1]
    found = np.empty((min(len(first), MOST_KEYS), 2), dtype=np.int64)
    found[:, 0] = ordered[first[:MOST_KEYS]]
    found[:, 1] = np.diff(first, append=len(ordered))[:MOST_KEYS]
    return found


def merge_keys(samples: Sequence[IntArray]) -> IntArray:
    """Merge samples of at least one span.

    A key among the smallest of all is among the smallest wherever it stands, so its counts are whole: the
    result is the sample of all records together, in any order and grouping.
    """
    if len(samples) == 1:
        return samples[0]
    together = np.concatenate(samples)
    if not len(together):
        return together
    ordered = together[np.argsort(together[:, 0], kind="stable")]
    first = _first_of_each(ordered[:, 0])
    merged = np.empty((min(len(first), MOST_KEYS), 2), dtype=np.int64)
    merged[:, 0] = ordered[first[:MOST_KEYS], 0]
    merged[:, 1] = np.add.reduceat(ordered[:, 1], first)[:MOST_KEYS]
    return merged


def _first_of_each(ordered: IntArray) -> IntArray:
    """Return where each different value of a sorted array first stands."""
    differs = np.empty(len(ordered), dtype=np.bool_)
    differs[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=differs[1:])
    return np.flatnonzero(differs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Records that bring a key again.

    Attributes
    ----------
    records
        Records that were looked at: all with a key, or those of the keys in the sample.
    copies
        Of these, the ones whose key had come before.
    keys
        Different keys among them.
    clump
        Copies that come together, seen from one of them: ``sum x² / sum x`` over the copies x of each key, at
        least 1. By so much the share of copies scatters more than that of independent records (the design
        effect of a cluster sample: Kish, *Survey Sampling*, 1965, 5.4).
    exact
        Whether these are all records with a key.
    """

    records: int
    copies: int
    keys: int
    clump: float
    exact: bool

    @property
    def share(self) -> float:
        """Part of the records that are copies; 0 without any."""
        return self.copies / self.records if self.records else 0.0


def repeats(sample: IntArray, keyed: int) -> Repeats:
    """Return what a sample says of the `keyed` records with a key that it was drawn from.

    The keys with the smallest hashes are a simple random sample of the different keys, each with all of its
    records (Cohen & Kaplan, *Summarizing data using bottom-k sketches*, PODC 2007).
    """
    counts = sample[:, 1]
    records, copies = int(counts.sum()), int((counts - 1).sum())
    squares = int(((counts - 1) ** 2).sum())
    return Repeats(
        records=records,
        copies=copies,
        keys=len(counts),
        clump=squares / copies if copies else 1.0,
        exact=records == keyed,
    )


def different_keys(sample: IntArray, keyed: int, deviations: float) -> float:
    """Return how many different keys `keyed` records have, exactly where they are few.

    It sees what the counts of the sample do not: one key of very many records is seldom among the kept ones,
    and still leaves fewer different keys than records. The estimate of their number from the k-th smallest
    hash has a relative standard error of ``1 / sqrt(k - 2)`` (Beyer et al., *On synopses for distinct-value
    estimation under multiset operations*, SIGMOD 2007).

    Parameters
    ----------
    deviations
        Standard errors that are added to an estimate; no more keys than records are ever told.
    """
    kept = len(sample)
    if int(sample[:, 1].sum()) == keyed:
        return float(kept)
    different = (kept - 1) / (float(sample[-1, 0]) / 2.0**63)
    return min(float(keyed), different * (1.0 + deviations / sqrt(kept - 2)))
