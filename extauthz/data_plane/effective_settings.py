"""The settings as they are in force, without anything that could be a secret."""

from typing import Any

from extauthz.settings.process import Settings

_KINDS = ("authenticators", "authorizers", "claim_sources")


def effective_settings(settings: Settings) -> dict[str, Any]:
    """All settings with their defaults, as JSON.

    Of `secrets` only the names: where they are is nobody's business who cannot read the file. Likewise of the options
    of extensions, which may hold anything.
    """
    document = settings.model_dump(mode="json", exclude={"secrets"})
    for kind in _KINDS:
        for extension in document["extensions"][kind]:
            extension["options"] = sorted(extension["options"])
    return document | {"secrets": sorted(settings.secrets)}
