"""The keys that certificates of the catalog pin to a key manager (seed 003)."""

from dataclasses import replace

import structlog

from extauthz.model.key_manager import KeyManager
from extauthz.oauth2.jwk import VerificationKey, key_from_certificate

_log = structlog.get_logger(__name__)


def pinned_keys(key_manager: KeyManager, now: float) -> tuple[VerificationKey, ...]:
    """The keys of `jwt.certificates`, with the dates of their certificates where those are to be looked at.

    A certificate that is outside of its dates is logged and no mistake: the next one may stand beside it already.

    Raises:
        ValueError: not a certificate, or one whose key no allowed algorithm can use.
    """
    if key_manager.jwt is None:
        return ()
    keys = tuple(key_from_certificate(pem) for pem in key_manager.jwt.certificates)
    if not key_manager.jwt.certificate_validity:
        return tuple(replace(key, not_before=None, not_after=None) for key in keys)
    for key in keys:
        if not key.is_valid_at(now):
            _log.warning(
                "certificate_outside_its_dates",
                key_manager=key_manager.id,
                thumbprint=key.thumbprint,
                not_before=key.not_before,
                not_after=key.not_after,
            )
    return keys
