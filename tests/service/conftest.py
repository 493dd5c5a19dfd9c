"""A finished demo, once for all tests of the service."""

from pathlib import Path

import pytest

from tests.command_line import finished_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the configuration of a short demo that ran to its end."""
    return finished_demo(tmp_path_factory.mktemp("demo"))
