"""A churn model as a service answers: features shift, labels lie, values go missing, answers fail."""

from typing import Final

import numpy as np

from detectors.base import FloatArray, Kind
from detectors.checks import Family
from flows.scenarios.base import BLOCK_ROWS, Values
from flows.scenarios.cuts import Block
from flows.scenarios.drawn import Drawn, DrawnScenario, Failing, pick, texts, within
from flows.scenarios.shapes import sudden
from state.columns import Role

_DEARER: Final = sudden(0.35)
_MISSING: Final = within((0.5, 0.6))
_NOISE: Final = sudden(0.65)
_OUTAGE: Final = within((0.75, 0.8))
_UNSURE: Final = sudden(0.85)

_CONTRACTS: Final = ("month-to-month", "one year", "two year")
_CONTRACT_PULL: Final = np.array([0.7, -0.6, -1.5])
_INTERNET: Final = ("fiber", "dsl", "none")
_INTERNET_PULL: Final = np.array([0.5, -0.1, -0.8])
_PAYMENT: Final = ("electronic check", "mailed check", "bank transfer", "credit card")
_PAYMENT_PULL: Final = np.array([0.35, 0.0, -0.15, -0.2])
_STATUS: Final = ("200", "400", "503")

_FLIPPED: Final = 0.25
"""Share of labels that are wrong while labels lie."""

_FLAT: Final = 0.35
"""What the unsure model's log odds are multiplied by."""


def _sigmoid(odds: FloatArray) -> FloatArray:
    return 1.0 / (1.0 + np.exp(-odds))


def _absent(values: list[str | None], gone: np.typing.NDArray[np.bool_]) -> list[str | None]:
    return [None if gap else value for value, gap in zip(values, gone.tolist(), strict=True)]


def _service(block: Block) -> tuple[FloatArray, np.typing.NDArray[np.intp]]:
    """Return milliseconds and number of the status of each answer."""
    rng = block.rng(1)
    outage = block.levels(rng, _OUTAGE)
    latency = rng.lognormal(3.2, 0.45, BLOCK_ROWS) * (1.0 + 3.0 * outage)
    usual, failing = pick(rng, (0.985, 0.01, 0.005), BLOCK_ROWS), pick(rng, (0.86, 0.02, 0.12), BLOCK_ROWS)
    return latency, np.where(outage > 0, failing, usual)


def _draw(block: Block) -> dict[str, Values]:
    rng, count = block.rng(), BLOCK_ROWS
    tenure = np.clip(np.rint(rng.gamma(1.3, 25.0, count)), 1, 72)
    monthly = np.clip(rng.normal(65.0, 27.0, count), 18.0, None) + 14.0 * block.levels(rng, _DEARER)
    total = tenure * monthly * rng.normal(1.0, 0.04, count)
    unknown = rng.random(count) < 0.01 + 0.14 * block.levels(rng, _MISSING)
    contract, internet = pick(rng, (0.55, 0.21, 0.24), count), pick(rng, (0.44, 0.34, 0.22), count)
    payment = pick(rng, (0.34, 0.23, 0.22, 0.21), count)
    calls = rng.poisson(1.2, count)
    odds = (
        -1.4
        - 0.03 * (tenure - 32.0)
        + 0.02 * (monthly - 65.0)
        + 0.35 * calls
        + _CONTRACT_PULL[contract]
        + _INTERNET_PULL[internet]
        + _PAYMENT_PULL[payment]
    )
    churned = rng.random(count) < _sigmoid(odds)
    churned ^= (rng.random(count) < _FLIPPED) & (block.levels(rng, _NOISE) > 0)
    score = np.round(_sigmoid(odds * np.where(block.levels(rng, _UNSURE) > 0, _FLAT, 1.0)), 5)
    latency, status = _service(block)
    failed = status == len(_STATUS) - 1
    return {
        "tenure_months": tenure.astype(np.int64),
        "monthly_charges": np.round(monthly, 2),
        "total_charges": np.where(unknown, np.nan, np.round(total, 2)),
        "support_calls": calls.astype(np.int64),
        "contract": texts(contract, _CONTRACTS),
        "internet": texts(internet, _INTERNET),
        "payment": texts(payment, _PAYMENT),
        "score": np.where(failed, np.nan, score),
        "prediction": _absent(texts(score >= 0.5, ("no", "yes")), failed),  # noqa: PLR2004  # the model's threshold
        "latency_ms": np.round(latency, 2),
        "status": texts(status, _STATUS),
        "churned": texts(churned, ("no", "yes")),
    }


_ANSWERS: Final = (
    Drawn(
        name="score",
        role=Role.SCORE,
        class_name="yes",
        shape=_DEARER,
        effect="higher with the charges, then flat",
        nested=False,
        description="Probability that the customer leaves; missing where the answer failed.",
    ),
    Drawn(
        name="prediction",
        kind=Kind.CATEGORICAL,
        role=Role.PREDICTION,
        shape=_DEARER,
        effect="more often yes",
        nested=False,
        description="yes where score is at least 0.5.",
    ),
    Drawn(
        name="latency_ms",
        role=Role.LATENCY,
        shape=_OUTAGE,
        effect="values times 4",
        nested=False,
        description="Time of the answer; long from 75 % to 80 % of the stream.",
    ),
    Drawn(
        name="status",
        kind=Kind.CATEGORICAL,
        role=Role.STATUS,
        shape=_OUTAGE,
        effect="share of 503 0.005 -> 0.12",
        nested=False,
        description="How the answer ended; 503 is frequent from 75 % to 80 % of the stream.",
    ),
    Drawn(
        name="churned",
        kind=Kind.CATEGORICAL,
        role=Role.LABEL,
        shape=_DEARER,
        effect="more often yes, then wrong in a quarter of the rows",
        nested=False,
        description="Whether the customer left.",
    ),
)

CHURN: Final = DrawnScenario(
    name="churn",
    description="Customers who leave: charges shift, totals go missing, labels lie, the service fails.",
    table=(
        Drawn(name="tenure_months", description="Months as a customer; stays as it is."),
        Drawn(
            name="monthly_charges",
            shape=_DEARER,
            effect="mean +14",
            description="Bill of a month; rises at 35 % of the stream.",
        ),
        Drawn(
            name="total_charges",
            shape=_DEARER,
            effect="values times about 1.2",
            description="All bills; follows the monthly ones.",
        ),
        Drawn(name="support_calls", description="Calls in three months; small whole numbers."),
        Drawn(name="contract", kind=Kind.CATEGORICAL, description="Contract; three levels."),
        Drawn(name="internet", kind=Kind.CATEGORICAL, description="Internet; three levels."),
        Drawn(name="payment", kind=Kind.CATEGORICAL, description="Way to pay; four levels."),
        *_ANSWERS,
    ),
    draw=_draw,
    failing=(
        Failing(
            family=Family.QUALITY,
            check="missing_share",
            feature="total_charges",
            shape=_MISSING,
            description="A job that fills the field fails for some customers.",
            effect="missing share 0.01 -> 0.15",
        ),
        *(
            Failing(
                family=Family.QUALITY,
                check="missing_share",
                feature=feature,
                shape=_OUTAGE,
                description="Where the answer failed there is none.",
                effect="missing share 0.005 -> 0.12",
            )
            for feature in ("score", "prediction")
        ),
        *(
            Failing(
                family=Family.PERFORMANCE,
                check=check,
                shape=_NOISE,
                description="Labels are wrong: the model only looks worse.",
                effect="a quarter of the labels flipped",
            )
            for check in (
                "accuracy",
                "balanced_accuracy",
                "precision",
                "recall",
                "f1",
                "log_loss",
                "brier",
                "roc_auc",
            )
        ),
        Failing(
            family=Family.PREDICTION,
            check="confidence",
            feature="score",
            shape=_DEARER,
            description="The model is less sure of customers who pay more, and a new build of it of all.",
            effect="mean 0.754 -> 0.740, from 85 % of the stream 0.604",
        ),
        Failing(
            family=Family.PREDICTION,
            check="uncertain_share",
            feature="score",
            shape=_UNSURE,
            description="A new build of the model is less sure than the old one.",
            effect="log odds times 0.35",
        ),
        Failing(
            family=Family.OPERATIONS,
            check="latency_p95",
            feature="latency_ms",
            shape=_OUTAGE,
            description="The service is overloaded.",
            effect="values times 4",
        ),
        Failing(
            family=Family.OPERATIONS,
            check="error_rate",
            feature="status",
            shape=_OUTAGE,
            description="The service is overloaded.",
            effect="error rate 0.015 -> 0.14",
        ),
    ),
)
"""The scenario of a service that answers, with labels in its events."""
