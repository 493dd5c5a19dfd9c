"""What is counted of outcomes, from what is known of predictions and labels."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.base import Kind
from detectors.performance.base import Task
from state.layout import categories, numeric_bins
from state.outcome_fields import OutcomeFields
from state.outcome_layout import OutcomeLayoutError, OutcomeSpec, classes_in
from state.outcomes import OutcomeLayout
from tests.state.outcome_rows import CLASS_FIELDS, NUMBER_FIELDS, column

BINS = numeric_bins(np.linspace(0.0, 900.0, 1_000))


def test_two_classes_and_one_that_is_plainly_positive() -> None:
    layout = OutcomeSpec(fields=CLASS_FIELDS).layout({"No", "Yes"}, None)
    assert layout == OutcomeLayout(task=Task.BINARY, classes=("No", "Yes"), positive=1, scored=True)


def test_two_classes_that_do_not_say_which_is_positive() -> None:
    with pytest.raises(OutcomeLayoutError, match="found none, wanted the one of good and ill"):
        OutcomeSpec(fields=CLASS_FIELDS).layout({"good", "ill"}, None)
    layout = OutcomeSpec(fields=CLASS_FIELDS, positive="good").layout({"good", "ill"}, None)
    assert layout.positive == 0
    with pytest.raises(OutcomeLayoutError, match="found 'bad', wanted one of good, ill"):
        OutcomeSpec(fields=CLASS_FIELDS, positive="bad").layout({"good", "ill"}, None)


def test_more_classes() -> None:
    layout = OutcomeSpec(fields=CLASS_FIELDS).layout({"c", "a", "b"}, None)
    assert layout == OutcomeLayout(task=Task.MULTICLASS, classes=("a", "b", "c"))
    named = OutcomeSpec(fields=CLASS_FIELDS, classes=("z", "y", "x"), task=Task.MULTICLASS)
    assert named.layout((), None).classes == ("x", "y", "z")


@pytest.mark.parametrize("seen", [{"a"}, {str(i) for i in range(101)}])
def test_too_few_or_too_many_classes(seen: set[str]) -> None:
    with pytest.raises(OutcomeLayoutError, match=f"found {len(seen)} classes, wanted 2 to 100"):
        OutcomeSpec(fields=CLASS_FIELDS).layout(seen, None)


def test_numbers_are_a_regression_on_the_scale_of_the_predictions() -> None:
    layout = OutcomeSpec(fields=NUMBER_FIELDS).layout((), BINS)
    assert layout.task is Task.REGRESSION
    assert layout.intervals
    assert (layout.center, layout.unit) == (BINS.center, BINS.unit)


def test_numbers_with_a_score_are_classes() -> None:
    fields = OutcomeFields(prediction=column("p"), score=column("s"), label=column("y"))
    assert OutcomeSpec(fields=fields).layout({"0", "1"}, BINS).task is Task.BINARY


def test_a_regression_needs_numbers() -> None:
    spec = OutcomeSpec(fields=CLASS_FIELDS, task=Task.REGRESSION)
    with pytest.raises(OutcomeLayoutError, match="regression needs a numeric column"):
        spec.layout((), BINS)


def test_classes_of_a_column_of_the_reference() -> None:
    assert classes_in(categories({"a": 500, "b": 300, "c": 1})) == ("a", "b", "c")
    assert classes_in(numeric_bins(np.array([0.0, 1.0, 1.0, 2.0]))) == ("0", "1", "2")
    assert classes_in(numeric_bins(np.array([0.0, 0.5]))) == ("0", "0.5")
    # Numbers that fill no bin alone are no classes.
    assert classes_in(BINS) == ()


def test_a_reference_that_counted_otherwise_is_refused() -> None:
    spec = OutcomeSpec(fields=CLASS_FIELDS)
    frozen = spec.layout({"no", "yes"}, None)
    spec.check(frozen, "abc")
    for other in (
        replace(spec, threshold=0.4),
        replace(spec, positive="no"),
        replace(spec, classes=("maybe", "no", "yes"), task=Task.MULTICLASS),
        replace(spec, fields=replace(CLASS_FIELDS, score=None)),
    ):
        with pytest.raises(OutcomeLayoutError, match="reference abc has counted its own"):
            other.check(frozen, "abc")


def test_labels_of_another_kind_are_compared_by_name() -> None:
    fields = OutcomeFields(prediction=column("p"), label=column("y", Kind.CATEGORICAL))
    assert OutcomeSpec(fields=fields).layout({"0", "1"}, BINS).classes == ("0", "1")
