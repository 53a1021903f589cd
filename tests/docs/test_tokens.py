"""The times that docs/tokens.md and docs/security-model.md tell are those of the program."""

from docs.pages import text

from extauthz.oauth2.jwks import DEFAULT_TIMES


def test_how_long_keys_of_an_issuer_are_trusted():
    times = DEFAULT_TIMES
    held = (
        times.lifetime_seconds,
        times.ahead_seconds,
        times.cooldown_seconds,
        times.unknown_seconds,
        times.keep_seconds,
    )
    assert held == (5 * 60, 60, 30, 2 * 60, 24 * 60 * 60)
    page = " ".join(text("docs/tokens.md").split())
    assert "kept for five minutes; one in use is fetched anew a minute before" in page
    assert "at most every 30 seconds, and once in two minutes for the same one" in page
    assert "While the issuer does not answer, the keys that are held stay good for a day" in page
    assert "five minutes, or a day while the issuer does not answer" in " ".join(text("docs/security-model.md").split())
