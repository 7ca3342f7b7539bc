"""M4: what is measured refutes a wrong second order by itself."""

from ibn.proofs_check.claim import FAILS, Context
from ibn.proofs_check.macro.reconstruction import m4


def test_the_measured_bridge_alone_refutes_a_wrong_second_order():
    check = m4(second_order="1/2").checks[-1]
    assert check.run(Context()).verdict == FAILS
