"""The suite itself: what shares fixtures is kept together."""

import os

import pytest


def test_groups_are_known_to_the_processes(request: pytest.FixtureRequest) -> None:
    grouped = request.node.nodeid.endswith("@tests/test_suite.py")
    assert grouped == ("PYTEST_XDIST_WORKER" in os.environ)
