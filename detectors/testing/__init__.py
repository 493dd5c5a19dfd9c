"""What a detector of your own is tested with: inherit the contracts, give them a fixture `detector`.

It needs the extra ``driftflow[testing]``::

    import pytest
    from detectors.testing import DetectorContract, LevelContract

    @pytest.fixture(scope="module")
    def detector():
        return Kuiper()

    class TestKuiper(DetectorContract, LevelContract):
        pass
"""

import pytest

# Before they are imported, so that their assertions say what they compared.
pytest.register_assert_rewrite("detectors.testing.contract", "detectors.testing.levels")

from detectors.testing.contract import DetectorContract  # noqa: E402
from detectors.testing.levels import LevelContract  # noqa: E402

__all__ = ["DetectorContract", "LevelContract"]
