"""What may be told about an allowed request: names for Envoy's dynamic metadata and for headers of the upstream."""

from extauthz.model.api import Api, Resource
from extauthz.model.check import Access

NAMES = (
    *("api_id", "api_name", "api_version", "organization", "resource"),
    *("application", "application_name", "application_policy", "subscription_policy"),
    *("credential", "client_id", "key_manager", "key_type", "api_key", "subject"),
)
"""In the order of the values. The last one may be another one for every caller."""
ATTRIBUTES = frozenset(NAMES)

Values = tuple[str | None, ...]
"""None where there is no such thing; without an access, of the first names only."""


def attribute_values(api: Api, resource: Resource, access: Access | None) -> Values:
    """What is known of a request, and of its caller. Never a credential, nor what was made of one."""
    if access is None:
        return api.id, api.name, api.version, api.organization, resource.template
    principal, application = access.principal, access.application
    facts, api_key, key_manager = principal.facts, principal.api_key, principal.key_manager
    return (
        api.id,
        api.name,
        api.version,
        api.organization,
        resource.template,
        None if application is None else application.id,
        None if application is None else application.name,
        None if application is None else application.policy,
        access.policy,
        principal.credential,
        facts.client_id,
        None if key_manager is None else key_manager.id,
        access.key_type,
        None if api_key is None else api_key.id,
        facts.subject,
    )


def attributes_of(access: Access) -> dict[str, str | None]:
    """The values by name."""
    return dict(zip(NAMES, attribute_values(access.api, access.resource, access), strict=True))
