"""How long to wait before a set that died is started again."""

from dataclasses import dataclass

import numpy as np


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Pauses that double from one failure to the next, less up to a half by chance.

    Chance keeps the sets of several hosts, felled by one outage, from coming back in the same instant. See
    Brooker (2015), "Exponential Backoff And Jitter", AWS Architecture Blog: this is its "equal jitter".

    Attributes
    ----------
    first_s, longest_s
        The pause after the first failure, and the longest, both before the part that is left to chance.
    healthy_s
        A set that lived this long was well: the pauses begin anew.
    failures
        Failures in a row.
    """

    first_s: float
    longest_s: float
    healthy_s: float
    rng: np.random.Generator
    failures: int = 0

    def pause_s(self, lived_s: float) -> float:
        """Note that a set has died; return the seconds to wait before the next start.

        Parameters
        ----------
        lived_s
            How long it lived.
        """
        if lived_s >= self.healthy_s:
            self.failures = 0
        # Past this power every pause is the longest one, and a float would overflow some day.
        whole_s = min(self.first_s * 2.0 ** min(self.failures, 60), self.longest_s)
        self.failures += 1
        return whole_s * self.rng.uniform(0.5, 1.0)
