"""How much of bench/alerts is done: all of it, in minutes, or in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of it.

    Attributes
    ----------
    every_s
        Between two episodes.
    kills, life_s
        How often the sender is killed, and the least and the most that it lives.
    recover_s
        When the services recover.
    hasten
        By what the sender's waits are divided; 1: they are those of operation.
    hour_s
        What counts as an hour for caps: services have to be away for some of them.
    settle_s
        Most time until all is told in the end.
    """

    episodes: int
    every_s: float
    kills: int
    life_s: tuple[float, float]
    recover_s: float
    hasten: int
    hour_s: float
    settle_s: float


# The right to send outlasts a killed process by half a minute: a life has to be longer than that.
WHOLE = Plan(
    episodes=120,
    every_s=5.0,
    kills=20,
    life_s=(31.0, 38.0),
    recover_s=400.0,
    hasten=1,
    hour_s=120.0,
    settle_s=1_200.0,
)
QUICK = Plan(
    episodes=60,
    every_s=0.5,
    kills=8,
    life_s=(4.0, 6.0),
    recover_s=25.0,
    hasten=10,
    hour_s=12.0,
    settle_s=120.0,
)
SHORT = Plan(
    episodes=6,
    every_s=0.1,
    kills=1,
    life_s=(0.3, 0.6),
    recover_s=0.7,
    hasten=60,
    hour_s=3_600.0,
    settle_s=90.0,
)
