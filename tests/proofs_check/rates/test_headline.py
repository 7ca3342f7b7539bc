"""P9: the sides of each reading are decided apart."""

from ibn.proofs_check.claim import Context
from ibn.proofs_check.rates import p9


def found(name):
    return next(check for check in p9().checks if check.name == name).run(Context())


def test_at_fixed_alpha_the_order_fails_to_the_papers_disadvantage():
    assert found("fixed α, derived").verdict == "fails"
    assert found("in whose favour it errs").verdict == "holds"
    assert "disadvantage" in found("in whose favour it errs").evidence


def test_the_supremum_is_attained_from_below_too():
    shares = found("attained at α = 1/log log n").data["shares"]
    assert 0.2 < shares[0] < shares[-1] < 0.5
