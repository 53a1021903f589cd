"""Reads the keys of backend JWTs: the first signs, all are published."""

from pathlib import Path

from extauthz.backend_jwt.key_certificate import KeyCertificate
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.told_at import told_at
from extauthz.settings.backend_jwt import BackendJwtKeySettings, BackendJwtSettings


def signing_keys(settings: BackendJwtSettings | None, secrets: Secrets, folder: Path) -> tuple[SigningKey, ...]:
    """The keys, in their order; certificate files are relative to `folder`. Empty: no backend JWT is made.

    Raises:
        DocumentError: one is of no use, or there twice.
    """
    keys: dict[str, SigningKey] = {}
    for index, one in enumerate(settings.keys if settings else ()):
        with told_at("backend_jwt", "keys", index):
            key = _signing_key(one, secrets, folder)
            # Most likely the file of the next key still has the old one: better known before it is to sign.
            if key.kid in keys:
                raise ValueError(f"backend JWT: the same key as `keys[{list(keys).index(key.kid)}]`")
            keys[key.kid] = key
    return tuple(keys.values())


def _signing_key(settings: BackendJwtKeySettings, secrets: Secrets, folder: Path) -> SigningKey:
    pem, algorithm = secrets.value(settings.key), settings.algorithm.value
    if settings.certificate is None:
        return SigningKey(pem, algorithm)
    path = folder / settings.certificate
    try:
        certificate = KeyCertificate(path.read_bytes())
    except OSError as exc:
        raise ValueError(f"{path} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise ValueError(f"{path}: {exc}") from exc
    return SigningKey(pem, algorithm, certificate)
