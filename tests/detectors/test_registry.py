"""Built-in detectors and plug-ins by name."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from detectors import registry
from detectors.base import Kind, Reading, Status, Summary
from detectors.registry import DetectorPluginError, UnknownDetectorError

HERE = "tests.detectors.test_registry"


@dataclass(frozen=True)
class Kuiper:
    """A plug-in as another package would write it."""

    name: ClassVar[str] = "kuiper"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = False

    def compare(self, reference: Summary, current: Summary) -> Reading:
        return Reading(
            method=self.name,
            status=Status.UNAVAILABLE,
            score=None,
            n_reference=reference.n,
            n_current=current.n,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        del reference, n, level
        return None


class NoDetector:
    name = "nothing"


def plugin(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=registry.ENTRY_POINT_GROUP)


def test_built_in_names_and_their_order() -> None:
    assert registry.detector_names()[:6] == ["ks", "chi2", "psi", "js", "wasserstein", "mean_shift"]


def test_a_name_leads_to_the_detector_that_carries_it() -> None:
    for name in registry.detector_names():
        assert registry.detector(name).name == name


def test_categories_have_no_order_and_no_mean() -> None:
    assert [each.name for each in registry.for_kind(Kind.CATEGORICAL)][:3] == ["chi2", "psi", "js"]
    assert {each.name for each in registry.for_kind(Kind.NUMERIC)} >= {"ks", "wasserstein", "mean_shift"}


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownDetectorError, match="no detector 'kss'; choose one of ks, chi2, psi, js"):
        registry.detector("kss")


def test_a_plugin_joins_the_table_after_the_built_in_ones() -> None:
    table = registry._with_plugins([plugin("kuiper", f"{HERE}:Kuiper")])
    assert list(table)[-1] == "kuiper"
    assert table["kuiper"].kinds == {Kind.NUMERIC}


@pytest.mark.parametrize("names", [["ks"], ["kuiper", "kuiper"]])
def test_the_same_name_twice_is_an_error(names: list[str]) -> None:
    with pytest.raises(DetectorPluginError, match=f"'{names[0]}' is taken twice"):
        registry._with_plugins([plugin(name, f"{HERE}:Kuiper") for name in names])


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("kuiper", "no_such_module:Kuiper", "cannot be loaded: ModuleNotFoundError"),
        ("kuiper", f"{HERE}:Absent", "cannot be loaded: AttributeError"),
        ("nothing", f"{HERE}:NoDetector", "lacks kinds, has_p_value, compare, limit"),
        ("power", f"{HERE}:Kuiper", "declared as 'power' .* calls itself 'kuiper'"),
    ],
)
def test_a_broken_plugin_is_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(DetectorPluginError, match=complaint):
        registry._with_plugins([plugin(name, value)])
