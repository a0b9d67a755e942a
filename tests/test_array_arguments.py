"""What is no array of real numbers: a ValueError of one line that says why."""

import numpy as np
import pytest
import scipy.sparse
import torch
from wrong_calls import X, refused

import hrta
from hrta import Problem, TwoLayer
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.momentum import predict_losses_with_momentum
from hrta.runtime.arrays import as_float64

# Arrays that are none of real numbers, or whose values are not all there.
NO_ARRAYS = {
    "text": X.astype(str),
    "text among objects": X.astype(str).astype(object),
    "objects": np.full((6, 2), object()),
    "complex": X + 1j,
    "dates": np.full((6, 2), "2026-01-01", dtype="datetime64[s]"),
    "durations": np.ones((6, 2), "timedelta64[s]"),
    "records": np.zeros(6, [("a", float), ("b", float)]),
    "masked": np.ma.masked_array(X, X > 0),
    "sparse": scipy.sparse.csr_array(X),
    "sparse tensor": torch.tensor(X).to_sparse(),
    "meta": torch.ones(6, 2, device="meta"),
    "too large": [[10**400, 1]] * 6,
}
TAKING_ARRAYS = [
    (Problem, "x"),
    (hrta.anmin.train, "x"),
    (hrta.ntk.gram, "x"),
    (hrta.ntk.empirical_gram, "inner"),
    (TwoLayer, "inner"),
    (hrta.homotopy, "s"),
    (spectrum, "matrix"),
    (predict_losses_with_momentum, "kernel"),
    (hrta.train, "learning_rate"),
]


@pytest.mark.parametrize(("function", "name"), TAKING_ARRAYS)
@pytest.mark.parametrize("kind", NO_ARRAYS)
def test_what_is_no_array_of_real_numbers_is_refused(function, name, kind):
    if (function, kind) != (hrta.homotopy, "meta"):  # the values of a tensor s are not checked
        assert name in refused(function, {name: NO_ARRAYS[kind]})


def test_the_error_says_how_to_make_an_array():
    for kind, hint in (("masked", ".filled(value)"), ("sparse", ".toarray()")):
        assert hint in refused(Problem, {"x": NO_ARRAYS[kind]})
    assert ".to_dense()" in refused(hrta.ntk.gram, {"x": NO_ARRAYS["sparse tensor"]})
    assert "meta device" in refused(TwoLayer, {"inner": NO_ARRAYS["meta"]})
    # A mask without a masked value, and objects that are numbers, are as good as arrays.
    for x in (np.ma.masked_array(X, np.zeros_like(X, bool)), X.astype(object)):
        np.testing.assert_array_equal(as_float64(x), X)


def test_complex_numbers_are_not_cut_to_their_real_part():
    for given in ([1j], np.array([1j]), torch.tensor([1j])):
        with pytest.raises(ValueError, match="x must be an array of real numbers"):
            as_float64(given, "x")
