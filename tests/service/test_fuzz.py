"""The service holds to its own OpenAPI document, whatever is sent; bench/api_fuzz.py sends far more."""

from pathlib import Path

from tests.service.fuzzing import faults, fuzzed


def test_answers_are_those_that_the_document_tells(demo: Path, tmp_path: Path) -> None:
    with fuzzed(demo, tmp_path / "served") as found:
        asked = list[str]()
        assert faults(found, examples=6, on_route=lambda route, _wrong: asked.append(route)) == {}
        assert len(asked) >= 20
