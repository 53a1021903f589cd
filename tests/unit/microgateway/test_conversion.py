"""Every snippet of the documentation, and whole files, beside what becomes of them."""

from pathlib import Path

import pytest

from extauthz.catalog.document import CatalogDocument
from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.document.text import parse, read
from extauthz.microgateway.conversion import converted
from extauthz.settings.process import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "microgateway"
SNIPPETS = sorted(FIXTURES.glob("*.toml"))


def plain(text):
    return parse(text, "YAML")[0]


def missing(text, document):
    """What our own loader says is missing in a file that was written."""
    try:
        loads(text, document, "YAML")
    except DocumentError as error:
        return [f"{path_text(m.location)}: {m.message}".removesuffix(": is missing") for m in error.mistakes]
    return []


def conversion(text):
    return converted(text, "micro-gw.conf")


def catalog_of(text):
    return plain(conversion(text).catalog)


def notes_of(text):
    """The lines of the report, by key."""
    return {note.key: note.text for note in conversion(text).report.notes}


def authentication_of(text):
    return catalog_of(text)["key_managers"][0]["introspection"].get("authentication")


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.stem)
def test_each_snippet_becomes_what_stands_beside_it(snippet):
    result, expected = conversion(read(snippet)), plain(read(snippet.with_suffix(".yaml")))
    assert plain(result.settings) == expected["settings"]
    assert plain(result.catalog) == expected["catalog"]
    assert {secret.env or secret.file: secret.key for secret in result.report.secrets.values()} == expected["secrets"]
    assert [note.key for note in result.report.notes] == expected["notes"]
    assert missing(result.settings, Settings) + missing(result.catalog, CatalogDocument) == expected["missing"]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.stem)
def test_no_secret_is_written_or_told(snippet):
    result = conversion(read(snippet))
    told = "\n".join(
        [result.settings, result.catalog, *map(str, result.report.notes), *map(str, result.report.secrets)]
    )
    assert "s3cret" not in told


GRANTS = {
    "clientCredential": 'clientId = "c"\nclientSecret = "s"\n',
    "password": 'clientId = "c"\nclientSecret = "s"\nusername = "u"\npassword = "p"\n',
    "directToken": 'accessToken = "t"\n',
}


def oauth2(*grants, more=""):
    top = '[keyManager.security.oauth2]\nenabled = true\ntokenUrl = "https://as.example.com/token"\n'
    return top + "".join(f"[keyManager.security.oauth2.{g}]\nenabled = true\n{GRANTS[g]}" for g in grants) + more


REFRESH = """[keyManager.security.oauth2.refresh]
enabled = true
refreshUrl = "https://as.example.com/refresh"
refreshToken = "r"
clientId = "c"
clientSecret = "s"
"""


@pytest.mark.parametrize(
    ("grants", "taken"),
    [
        (("directToken", "password", "clientCredential"), "client_credentials"),
        (("directToken", "password"), "password"),
        (("directToken",), "direct_token"),
    ],
)
def test_client_credentials_beat_the_password_and_the_password_beats_the_direct_token(grants, taken):
    assert list(authentication_of(oauth2(*grants))) == [taken]
    told = notes_of(oauth2(*grants))
    assert sum("beats" in text for text in told.values()) == len(grants) - 1


def test_basic_beats_oauth2_unless_it_is_switched_off():
    basic = '[keymanager.security.basic]\nenabled = {}\nusername = "u"\npassword = "p"\n'
    assert list(authentication_of(basic.format("true") + oauth2("password"))) == ["basic"]
    assert list(authentication_of(basic.format("false") + oauth2("password"))) == ["password"]
    assert "basic beats oauth2" in notes_of(basic.format("true") + oauth2("password"))["keymanager.security.oauth2"]


def test_nothing_at_all_or_oauth2_switched_off_leaves_the_default_which_is_basic():
    off = "[keyManager.security.oauth2]\nenabled = false\n"
    for text in ('[keyManager]\nserverUrl = "https://km.example.com"\n', off):
        assert list(authentication_of(text)) == ["basic"]
    both_off = off + "[keyManager.security.basic]\nenabled = false\n"
    assert authentication_of(both_off) is None


def test_refresh_goes_with_the_password_and_the_direct_token_only():
    assert "refresh" in authentication_of(oauth2("password", more=REFRESH))["password"]
    assert "refresh" in authentication_of(oauth2("directToken", more=REFRESH))["direct_token"]
    text = oauth2("clientCredential", more=REFRESH)
    assert "refresh" not in authentication_of(text)["client_credentials"]
    assert "password or directToken only" in notes_of(text)["keyManager.security.oauth2.refresh"]


@pytest.mark.parametrize(
    ("bearer", "placement"), [("AUTH_HEADER_BEARER", "header"), ("POST_BODY_BEARER", "body"), ("NO_BEARER", "none")]
)
def test_the_bearer_says_where_the_clients_credentials_go(bearer, placement):
    text = oauth2("clientCredential").replace("tokenUrl", f'credentialBearer = "{bearer}"\ntokenUrl', 1)
    grant = authentication_of(text)["client_credentials"]
    assert grant["credentials"] == placement
    assert ("client_secret" in grant) == (bearer != "NO_BEARER")
    assert missing(conversion(text).catalog, CatalogDocument) == []


def test_a_secret_may_go_where_it_is_needed_and_where_the_token_goes_that_it_buys():
    text = '[keyManager]\nserverUrl = "https://km.example.com:9443"\n' + oauth2("password", more=REFRESH)
    secrets = plain(conversion(text).settings)["secrets"]
    assert {tuple(secret["hosts"]) for secret in secrets.values()} == {("as.example.com", "km.example.com")}


def test_a_secret_that_is_in_the_environment_already_stays_there():
    text = '[keymanager.security.basic]\nenabled = true\nusername = "u"\npassword = "@env:{KM_PASSWORD}"\n'
    assert [secret.env for secret in conversion(text).report.secrets.values()] == ["KM_PASSWORD"]


@pytest.mark.parametrize(("given", "seconds"), [(5000, 5), (2500, 3), (5, 1), (0, 0), (10_000_000, 300)])
def test_the_skew_is_in_milliseconds_whatever_its_documentation_says(given, seconds):
    text = f"[keyManager]\ntimestampSkew = {given}\n"
    assert catalog_of(text)["key_managers"][0]["clock_skew_seconds"] == seconds
    assert "used as milliseconds" in notes_of(text)["keyManager.timestampSkew"]


@pytest.mark.parametrize(
    ("legacy", "told"),
    [("external = false", True), ("enableLegacyMode = true", True), ("", True),
     ("external = true", False), ("enableLegacyMode = false", False)],
)  # fmt: skip
def test_the_key_validation_service_is_told_where_it_was_in_use(legacy, told):
    notes = notes_of(f'[keyManager]\nserverUrl = "https://km.example.com"\n{legacy}\n')
    assert any("(SOAP)" in text for text in notes.values()) is told


def issuer(*lines):
    return "\n".join(
        ["[[jwtTokenConfig]]", 'issuer = "https://as.example.com"', 'jwksURL = "https://a/jwks"', *lines, ""]
    )


@pytest.mark.parametrize(
    ("more", "validation"),
    [
        (issuer(), "off"),
        (issuer("validateSubscription = false"), "off"),
        (issuer("validateSubscription = true"), "claim"),
        (issuer("validateSubscription = true") + "[apim.eventHub]\nenable = true\n", "catalog"),
    ],
)
def test_subscriptions_are_looked_for_where_the_microgateway_had_them(more, validation):
    (key_manager,) = catalog_of(more)["key_managers"]
    assert key_manager["subscription_validation"] == validation


@pytest.mark.parametrize("unreadable", ['"@env:{VALIDATE}"', '"yes"', "1"])
def test_a_flag_that_cannot_be_read_does_not_switch_subscriptions_off(unreadable):
    text = issuer(f"validateSubscription = {unreadable}")
    (key_manager,) = catalog_of(text)["key_managers"]
    assert key_manager["subscription_validation"] == "catalog"
    assert "left out" in notes_of(text)["jwtTokenConfig[0].validateSubscription"]


@pytest.mark.parametrize("unreadable", ['"@env:{AUDIENCE}"', "[1, 2]", "3"])
def test_an_audience_that_cannot_be_read_does_not_become_any_audience(unreadable):
    text = issuer(f"audience = {unreadable}")
    (key_manager,) = catalog_of(text)["key_managers"]
    assert key_manager["jwt"]["audiences"] == ["to-be-written"]
    assert "left out" in notes_of(text)["jwtTokenConfig[0].audience"]


@pytest.mark.parametrize("empty", ["", 'audience = ""', "audience = []"])
def test_without_an_audience_none_is_written(empty):
    (key_manager,) = catalog_of(issuer(empty))["key_managers"]
    assert "audiences" not in key_manager["jwt"]


def test_two_tables_of_one_issuer_are_told_since_audiences_must_tell_them_apart():
    same = issuer('audience = "one"') + issuer('audience = "one"')
    assert "aud" in notes_of(same)["jwtTokenConfig[1].issuer"]
    apart = conversion(issuer('audience = "one"') + issuer('audience = ["two", "three"]'))
    assert missing(apart.catalog, CatalogDocument) == []
    assert [key_manager["id"] for key_manager in plain(apart.catalog)["key_managers"]] == [
        "as.example.com",
        "as.example.com-2",
    ]


def test_a_mapping_that_would_change_what_a_token_is_checked_by_is_left_out():
    claims = [("given_name", "name"), ("upn", "sub"), ("exp", "end"), ("other", "name")]
    tables = [f'[[jwtTokenConfig.claims]]\nremoteClaim = "{a}"\nlocalClaim = "{b}"' for a, b in claims]
    text = issuer(*tables)
    assert catalog_of(text)["key_managers"][0]["claim_mapping"] == {"given_name": "name"}
    assert {f"jwtTokenConfig[0].claims[{index}]" for index in (1, 2, 3)} <= notes_of(text).keys()


def test_a_header_of_its_own_for_the_passed_on_token():
    text = issuer() + '[jwtConfig]\nheader = "X-Caller"\n'
    result = conversion(text)
    assert plain(result.settings)["backend_jwt"]["header"] == "X-Caller"
    assert plain(result.catalog)["key_managers"][0]["backend_jwt"] == "pass_through"
    assert missing(result.settings, Settings) == []


def test_tables_of_both_spellings_are_one_and_what_stands_in_both_is_told():
    text = '[keyManager]\nserverUrl = "https://one.example.com"\n[keymanager]\nserverURL = "https://two.example.com"\n'
    assert catalog_of(text)["key_managers"][0]["introspection"]["endpoint"].startswith("https://one.example.com/")
    assert "stands twice" in notes_of(text)["keyManager.serverURL"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("enabled = 'maybe'", "is neither true nor false"),
        ("username = 5", "is no string"),
        ("username = ''", "is empty"),
        ("username = '@env:{USER}'", "is not in the file itself"),
        ("password = ''", "a value has to be set"),
    ],
)
def test_a_value_that_cannot_be_taken_is_told(line, told):
    key = line.partition(" ")[0]
    text = f"[keymanager.security.basic]\n{line}\n"
    assert told in notes_of(text)[f"keymanager.security.basic.{key}"]


def test_every_key_that_is_not_known_is_named():
    text = '"odd key" = 1\n[one.two]\nthree = 3\n[[four]]\nfive = 5\n[caching]\nsix = 6\n[listenerConfig]\nport = 1\n'
    told = notes_of(text)
    assert {"odd key", "one.two.three", "four[0].five", "caching.six", "listenerConfig"} <= told.keys()
    assert "(port)" in told["listenerConfig"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("[keyManager]\nserverUrl = ", None), ("[keyManager]\na = 1\n[keyManager]\nb = 2\n", 3), ("a = 1\n= 2\n", 2)],
)
def test_what_is_not_toml_is_refused_with_its_line(text, line):
    with pytest.raises(DocumentError) as raised:
        conversion(text)
    assert raised.value.mistakes[0].line == line


def test_odd_words_are_written_so_that_they_are_read_as_they_were():
    odd = ["true", "0o17", "a: b", "- c", "# d", "ü", "\U0001f600", "\x7f", "\u2028", '"', "\\", "1e3", "~", "a" * 300]
    for word in odd:
        name = "".join(f"\\U{ord(character):08x}" for character in word)
        assert catalog_of(issuer(f'consumerKeyClaim = "{name}"'))["key_managers"][0]["client_id_claim"] == word
