"""What may be told about an allowed request: names for Envoy's dynamic metadata and for headers of the upstream."""

from extauthz.model.api import Api, Resource
from extauthz.model.check import Access

ATTRIBUTES = frozenset(
    {"api_id", "api_name", "api_version", "organization", "resource"}
    | {"application", "application_name", "application_policy", "subscription_policy"}
    | {"credential", "client_id", "subject", "key_manager", "key_type", "api_key"}
)


def api_attributes(api: Api, resource: Resource) -> dict[str, str | None]:
    """What is known of every request."""
    return {
        "api_id": api.id,
        "api_name": api.name,
        "api_version": api.version,
        "organization": api.organization,
        "resource": resource.template,
    }


def caller_attributes(access: Access) -> dict[str, str | None]:
    """What is known of a caller; None where there is no such thing. Never a credential, nor what was made of one."""
    principal, application = access.principal, access.application
    facts, api_key, key_manager = principal.facts, principal.api_key, principal.key_manager
    known: dict[str, str | None] = {
        "subscription_policy": access.policy,
        "credential": principal.credential,
        "client_id": facts.client_id,
        "subject": facts.subject,
        "key_manager": None if key_manager is None else key_manager.id,
        "key_type": access.key_type,
        "api_key": None if api_key is None else api_key.id,
    }
    if application is not None:
        known["application"] = application.id
        known["application_name"] = application.name
        known["application_policy"] = application.policy
    return known
