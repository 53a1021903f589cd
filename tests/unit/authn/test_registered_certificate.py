import pytest
from support.catalogs import request

from extauthz.authn.registered_certificate import RegisteredCertificates, certificate_holder
from extauthz.model.api_security import ApiSecurity, RegisteredCertificate, Requirement
from extauthz.model.errors import Denied, Reason

NOW = 1_700_000_000.0
MINE = RegisteredCertificate(
    thumbprint="m" * 43,
    subject="CN=mine",
    not_before=NOW - 10,
    not_after=NOW + 10,
    policy="Gold",
    scopes=frozenset({"read"}),
)
OVER = RegisteredCertificate(thumbprint="o" * 43, subject="CN=over", not_before=NOW - 10, not_after=NOW - 1)
YOUNG = RegisteredCertificate(thumbprint="y" * 43, subject="CN=young", not_before=NOW + 1, not_after=NOW + 10)
STRANGER = "s" * 43


def malformed(_):
    raise ValueError("not a certificate")


def shown(thumbprint, mutual_tls, *, now=NOW, application=Requirement.MANDATORY):
    """The certificate, or the reason for the refusal."""
    security = ApiSecurity(application=application, mutual_tls=mutual_tls, certificates=(OVER, YOUNG, MINE))
    source = malformed if thumbprint == "malformed" else lambda _: thumbprint
    try:
        return RegisteredCertificates(source, lambda: now).shown(request(), security)
    except Denied as denied:
        return denied.reason


BAD = [None, STRANGER, OVER.thumbprint, YOUNG.thumbprint, "malformed"]


def test_a_registered_certificate_is_known():
    assert shown(MINE.thumbprint, Requirement.MANDATORY) is MINE
    assert shown(MINE.thumbprint, Requirement.OPTIONAL) is MINE


@pytest.mark.parametrize("thumbprint", BAD)
def test_where_it_is_mandatory_any_other_certificate_and_none_refuses(thumbprint):
    assert shown(thumbprint, Requirement.MANDATORY) is Reason.INVALID_TOKEN


@pytest.mark.parametrize("thumbprint", BAD)
def test_where_it_is_optional_any_other_certificate_is_none(thumbprint):
    assert shown(thumbprint, Requirement.OPTIONAL) is None


@pytest.mark.parametrize("thumbprint", [MINE.thumbprint, *BAD])
def test_where_it_is_off_nobody_looks_at_it(thumbprint):
    assert shown(thumbprint, Requirement.OFF) is None


@pytest.mark.parametrize(
    ("now", "good"), [(NOW - 10.1, False), (NOW - 10, True), (NOW + 10, True), (NOW + 10.1, False)]
)
def test_both_dates_belong_to_its_time(now, good):
    assert (shown(MINE.thumbprint, Requirement.OPTIONAL, now=now) is MINE) == good


def test_a_requirement_that_is_not_known_refuses():
    with pytest.raises(AssertionError):
        shown(MINE.thumbprint, "sometimes")


def test_its_holder_has_its_subject_and_scopes_until_its_end():
    principal = certificate_holder(MINE)
    assert (principal.certificate, principal.key_manager, principal.api_key) == (MINE, None, None)
    assert principal.facts.subject == "CN=mine"
    assert principal.facts.scopes == {"read"}
    assert principal.facts.expires_at == principal.facts.believe_until == MINE.not_after
