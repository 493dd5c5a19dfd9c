"""Applies the declared steps of columns to what a decoder reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flows.decode.base import Decoded, Decoder
from state.transforms import Transform


@dataclass(frozen=True, slots=True)
class TransformingDecoder:
    """Decodes by another decoder, then transforms; implements `flows.decode.base.Decoder`."""

    decoder: Decoder
    transforms: Mapping[str, Transform]

    def decode(self, records: Sequence[bytes]) -> Decoded:
        """Decode one batch of any size."""
        decoded = self.decoder.decode(records)
        numeric, categorical = dict(decoded.numeric), dict(decoded.categorical)
        for name, transform in self.transforms.items():
            read = numeric.pop(name, None)
            made = transform.apply(categorical.pop(name) if read is None else read)
            if isinstance(made, np.ndarray):
                numeric[name] = made
            else:
                categorical[name] = list(made)
        return replace(decoded, numeric=numeric, categorical=categorical)

    def fields(self, record: bytes) -> tuple[str, ...]:
        """Name all fields of a good record."""
        return self.decoder.fields(record)
