"""Each decision is counted and recorded."""

from extauthz.model.check import Deny
from extauthz.model.errors import Reason
from extauthz.telemetry.decisions import Decisions

DENY = Deny(reason=Reason.INTERNAL)


def test_a_decision_is_counted_and_recorded():
    told = []
    decisions = Decisions(lambda *decision: told.append(("counted", *decision)), lambda *it: told.append(("said", *it)))
    decisions(None, DENY, 0.5)
    assert told == [("counted", None, DENY, 0.5), ("said", None, DENY, 0.5)]
