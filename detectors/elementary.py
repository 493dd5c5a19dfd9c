"""Logarithms, exponentials and sums of products that have the same bits on every processor.

NumPy's own are chosen by what the processor can do, and products of matrices by a library that counts its
cores: their last bits differ from machine to machine, and with them those of every event. These ask the C
library for one value after the other, and add up in an order that depends on nothing but the length. They
need the processor to have fused multiply-add, which x86 has had since 2013 and ARM always.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expm1, inv_boxcox, log1p, xlogy

from detectors.base import FloatArray

__all__ = ["arcsin", "cos", "dot", "exp", "expm1", "geometric", "log", "log1p", "log2", "product", "sin"]


_Numbers = FloatArray | NDArray[np.signedinteger]


def log(values: _Numbers | float) -> FloatArray:
    """Natural logarithm of each; -inf of 0, NaN below.

    Examples
    --------
    >>> log([1.0, math.e]).tolist()
    [0.0, 1.0]
    """
    return np.asarray(xlogy(1.0, values), dtype=np.float64)


def log2(values: _Numbers | float) -> FloatArray:
    """Logarithm to the base 2 of each, as `log`."""
    return log(values) / math.log(2)


def exp(values: FloatArray | float) -> FloatArray:
    """Exponential of each.

    Examples
    --------
    >>> exp([-math.inf, 0.0]).tolist()
    [0.0, 1.0]
    """
    # Box & Cox's transformation with exponent 0 is the logarithm, and SciPy inverts it with the C library.
    return np.asarray(inv_boxcox(values, 0.0), dtype=np.float64)


def sin(values: FloatArray) -> FloatArray:
    """Sine of each; for the few values of tables, as it takes one after the other."""
    return _one_by_one(math.sin, values)


def cos(values: FloatArray) -> FloatArray:
    """Cosine of each, as `sin`."""
    return _one_by_one(math.cos, values)


def arcsin(values: FloatArray) -> FloatArray:
    """Inverse sine of each, as `sin`; of values from -1 to 1."""
    return _one_by_one(math.asin, values)


def geometric(first: float, last: float, count: int) -> FloatArray:
    """Return values whose ratios are equal, both ends among them.

    Examples
    --------
    >>> geometric(1.0, 1000.0, 4).tolist()
    [1.0, 10.0, 100.0, 1000.0]
    """
    exponents = np.linspace(math.log10(first), math.log10(last), count)
    values = _one_by_one(lambda exponent: math.pow(10.0, exponent), exponents)
    values[0], values[-1] = first, last
    return values


def dot(left: _Numbers, right: _Numbers) -> FloatArray:
    """Sum of the products along the last axis; the other axes are matched as NumPy matches shapes.

    Examples
    --------
    >>> float(dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    # Rows that lie one behind the other in memory are added up pairwise; others in another order.
    return np.asarray(np.add.reduce(np.ascontiguousarray(left * right), axis=-1))


def product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Product of two matrices, one column of the right one after the other.

    Examples
    --------
    >>> product(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])).tolist()
    [[11.0]]
    """
    return np.stack([dot(left, column) for column in right.T], axis=-1)


def _one_by_one(function: Callable[[float], float], values: FloatArray) -> FloatArray:
    flat = np.asarray(values, dtype=np.float64)
    return np.array([function(value) for value in flat.ravel().tolist()]).reshape(flat.shape)
