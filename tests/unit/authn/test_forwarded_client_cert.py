"""Envoy's x-forwarded-client-cert: what proxies write is read, and what a client makes up is not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.authn.forwarded_client_cert import MAX_LENGTH, ForwardedElement, last_element

HASH, FORGED = "ab" * 32, "cd" * 32
ISTIO = f'By=spiffe://cluster.local/ns/a/sa/b;Hash={HASH};Subject="CN=client,O=\\"Shop\\"; Ltd";URI=spiffe://c'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Hash={HASH}", ForwardedElement(hash=HASH)),
        (ISTIO, ForwardedElement(hash=HASH)),
        (f"hash={HASH};CERT=abc", ForwardedElement(hash=HASH, cert="abc")),
        ('Cert="-----BEGIN%20CERTIFICATE-----%0A"', ForwardedElement(cert="-----BEGIN%20CERTIFICATE-----%0A")),
        (f"By=a;By=b;Hash={HASH};URI=c;URI=d;DNS=e;DNS=f", ForwardedElement(hash=HASH)),
        (f'Hash={HASH};Subject=""', ForwardedElement(hash=HASH)),
        ("By=a", ForwardedElement()),
        ("Hash=", ForwardedElement(hash="")),
    ],
)
def test_what_envoy_writes_is_read(header, expected):
    assert last_element(header) == expected


@pytest.mark.parametrize("separator", [",", ", "])
def test_only_the_last_of_several_elements_counts(separator):
    """The nearest proxy wrote it; the ones before may be the client's own words."""
    assert last_element(f"Hash={FORGED};By=x{separator}{ISTIO}") == ForwardedElement(hash=HASH)


def test_parts_of_an_earlier_element_are_not_taken_for_the_last_ones():
    assert last_element(f"Hash={FORGED},By=proxy") == ForwardedElement()


def test_no_header_is_no_element():
    assert last_element("") is None


@pytest.mark.parametrize(
    "header",
    [
        "Hash",
        "=x",
        ",",
        ";",
        f"Hash={HASH};",
        f"Hash={HASH},",
        f",Hash={HASH}",
        f"Hash={HASH};Hash={FORGED}",
        f"Cert=a;cert=b;Hash={HASH}",
        f'Hash="{HASH}',
        f'Hash={HASH}";Subject="',
        f'Subject="a"b;Hash={HASH}',
        f'Subject=a"b";Hash={HASH}',
        f"Hash={HASH} ;;By=a",
        "Hash=" + "a" * MAX_LENGTH,
    ],
)
def test_what_envoy_does_not_write_is_refused(header):
    with pytest.raises(ValueError):
        last_element(header)


@pytest.mark.parametrize(
    "invented",
    [f'Hash={FORGED};Subject="', 'Subject="\\', f'Hash={FORGED};Subject="x\\', f"Hash={FORGED};Subject=\\", '"', "\\"],
)
def test_a_quotation_mark_that_a_client_leaves_open_does_not_hide_the_proxys_element(invented):
    try:
        element = last_element(f"{invented},{ISTIO}")
    except ValueError:
        return
    assert element == ForwardedElement(hash=HASH)


WORDS = st.lists(
    st.sampled_from(['"', "\\", ",", ";", "=", " ", "Hash", "Subject", "By", FORGED, "x"]) | st.text(max_size=3),
    max_size=12,
)


@given(WORDS.map("".join))
def test_no_header_raises_anything_but_a_value_error(header):
    try:
        last_element(header)
    except ValueError:
        return


@given(WORDS.map("".join))
def test_whatever_stands_before_it_the_proxys_element_counts_or_nothing_does(invented):
    try:
        element = last_element(f"{invented},{ISTIO}")
    except ValueError:
        return
    assert element == ForwardedElement(hash=HASH)
