"""Names that tell nothing, and entries that only a holder of the secret makes."""

import pytest

from extauthz.revocation.keys import RevocationKeys, fingerprinted
from extauthz.revocation.revocation import Entry, Revocation, RevocationForm

OLD, NEW = b"o" * 32, b"n" * 32
SCOPE = ("default", "km")
REVOCATION = Revocation(key_manager="km", form=RevocationForm.CLIENT, value="client", issued_until=100.0)
ENTRY = Entry(name=b"n" * 32, issued_until=100.0, keep_until=200.5)


@pytest.mark.parametrize(
    ("scope", "form", "value"),
    [
        (("other", "km"), RevocationForm.CLIENT, "client"),
        (("default", "other"), RevocationForm.CLIENT, "client"),
        (("default", "km"), RevocationForm.SUBJECT, "client"),
        (("default", "km"), RevocationForm.CLIENT, "other"),
        (("defaultk", "m"), RevocationForm.CLIENT, "client"),
        (("default", "kmc"), RevocationForm.CLIENT, "lient"),
    ],
)
def test_another_scope_form_or_value_is_another_name(scope, form, value):
    keys = RevocationKeys([NEW])
    assert keys.names(scope, form, value) != keys.names(SCOPE, RevocationForm.CLIENT, "client")


def test_an_entry_of_an_older_secret_is_still_found_and_believed():
    before, after = RevocationKeys([OLD]), RevocationKeys([NEW, OLD])
    assert before.name(REVOCATION) in after.names(SCOPE, REVOCATION.form, REVOCATION.value)
    assert after.name(REVOCATION) != before.name(REVOCATION)
    assert after.proven(before.prove(ENTRY)) == ENTRY


@pytest.mark.parametrize("issued_until", [None, 0.0, 100.25])
def test_an_entry_comes_back_as_it_was(issued_until):
    keys, entry = RevocationKeys([NEW]), Entry(name=b"n" * 32, issued_until=issued_until, keep_until=200.5)
    assert keys.proven(keys.prove(entry)) == entry


def test_bytes_that_no_holder_of_the_secret_made_are_no_entry():
    keys = RevocationKeys([NEW])
    good = keys.prove(ENTRY)
    changed = [good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :] for i in range(len(good))]
    for bad in [*changed, good[:-1], good + b"\0", b"", RevocationKeys([OLD]).prove(ENTRY)]:
        assert keys.proven(bad) is None


@pytest.mark.parametrize("secrets", [[], [b"s" * 31], [NEW, b"short"]])
def test_a_secret_that_is_missing_or_short_is_refused(secrets):
    with pytest.raises(ValueError, match=r"^(at least one secret|secret \d has \d+ bytes)"):
        RevocationKeys(secrets)


@pytest.mark.parametrize(
    ("token", "part"),
    [
        ("eyJhbGciOiJFUzI1NiJ9.e30.signature", "eyJhbGciOiJFUzI1NiJ9.e30"),
        ("opaque", "opaque"),
        ("opaque.with.dots", "opaque.with.dots"),
        ("eyJ.b.c.d.e", "eyJ.b.c.d.e"),
        ("eyJonedot.b", "eyJonedot.b"),
    ],
)
def test_of_a_signed_jwt_only_what_is_signed_counts(token, part):
    """The signature can be written in another way that is as valid: (r, n - s) of ECDSA."""
    assert fingerprinted(token) == part
