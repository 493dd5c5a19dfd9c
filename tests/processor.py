"""What makes a process compute as on an older processor."""

import numpy as np

_BUILT = np.show_config(mode="dicts")["SIMD Extensions"]

OLDER = {
    # All that this NumPy can do without; it refuses names that it does not know.
    "NPY_DISABLE_CPU_FEATURES": " ".join([*_BUILT.get("found", ()), *_BUILT.get("not found", ())]),
    "OPENBLAS_CORETYPE": "Prescott",
}
"""Variables of its environment; they act where NumPy is imported."""
