"""The kinds of extensions, and how each is found."""

from enum import Enum


class Kind(Enum):
    """A kind of extension: the group of its entry points, and the method that is called."""

    AUTHENTICATOR = ("extauthz.authenticators", "authenticate")
    AUTHORIZER = ("extauthz.authorizers", "authorize")
    CLAIM_SOURCE = ("extauthz.claim_sources", "claims")

    def __init__(self, group: str, method: str) -> None:
        self.group = group
        self.method = method
