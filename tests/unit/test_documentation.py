"""What the documents say is what the program does."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from support.catalogs import catalog_document, text_of

from extauthz.catalog.api_entities import (
    ApiDocument,
    ApiKeyPlacementDocument,
    ApiSecurityDocument,
    CorsDocument,
    RegisteredCertificateDocument,
    ResourceDocument,
)
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.entities import ApiKeyDocument, ApplicationDocument, ApplicationKeyDocument, SubscriptionDocument
from extauthz.catalog.introspection_entities import (
    AuthenticationDocument,
    BasicDocument,
    CircuitBreakerDocument,
    ClientCredentialsDocument,
    ClientSecretPostDocument,
    DirectTokenDocument,
    IntrospectionDocument,
    MutualTlsDocument,
    PasswordDocument,
    PrivateKeyJwtDocument,
    RefreshDocument,
    SignedAnswerDocument,
    UserinfoDocument,
)
from extauthz.catalog.key_manager_entities import DecryptionDocument, JwtDocument, KeyManagerDocument
from extauthz.catalog.opaque_token_entities import OpaqueTokenRuleDocument, OpaqueTokensDocument
from extauthz.document.strict import loads
from extauthz.envoy.refusals import REFUSALS
from extauthz.resident.settings import ClientSettings, ResidentSettings
from extauthz.settings.process import Settings

ROOT = Path(__file__).parents[2]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def yaml_blocks(name):
    return re.findall(r"```yaml\n(.*?)```", text(name), re.DOTALL)


def test_the_examples_of_the_readme_are_right():
    catalog, settings = yaml_blocks("README.md")
    loads(catalog, CatalogDocument, "README.md")
    loads(settings, Settings, "README.md")


def test_the_table_of_refusals_is_that_of_the_program():
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| ?(\w*)", text("docs/refusals.md"), re.MULTILINE)
    documented = {reason: (code, int(status), error) for reason, code, status, error in rows}
    assert documented == {
        reason.value: (refusal.code, refusal.status, refusal.error or "") for reason, refusal in REFUSALS.items()
    }


@pytest.mark.parametrize(
    "document",
    [
        KeyManagerDocument, JwtDocument, IntrospectionDocument, ApiDocument, ResourceDocument,
        AuthenticationDocument, BasicDocument, ClientSecretPostDocument, PrivateKeyJwtDocument, MutualTlsDocument,
        ClientCredentialsDocument, PasswordDocument, DirectTokenDocument, RefreshDocument,
        CircuitBreakerDocument, SignedAnswerDocument, UserinfoDocument, OpaqueTokensDocument, OpaqueTokenRuleDocument,
        DecryptionDocument, CorsDocument, ApiSecurityDocument, ApiKeyPlacementDocument, RegisteredCertificateDocument,
        ApiKeyDocument, ApplicationDocument, ApplicationKeyDocument, SubscriptionDocument,
    ],
)  # fmt: skip
def test_every_key_of_the_catalog_is_documented(document):
    page = text("docs/catalog.md")
    assert [key for key in document.model_fields if not re.search(rf"[`{{ ]{key}[`:]", page)] == []


def settings_keys(model, prefix=""):
    for name, field in model.model_fields.items():
        parts = [field.annotation, *getattr(field.annotation, "__args__", ())]
        nested = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        if nested and name != "secrets":
            yield from settings_keys(nested[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def test_every_setting_is_documented_with_its_default():
    rows = dict(re.findall(r"^\| (`[^|]*`) \|([^|]*)\|", text("docs/settings.md"), re.MULTILINE))
    documented = {key.strip("` "): default for keys, default in rows.items() for key in keys.split(",")}
    actual = dict(settings_keys(Settings))
    assert documented.keys() == actual.keys()
    for key, default in documented.items():
        if "`" in default:
            value = actual[key].default
            assert str(getattr(value, "value", value)).removesuffix(".0") == default.strip("` ").removesuffix(".0"), key


def test_the_example_of_a_grpc_api_is_right():
    *_, apis = yaml_blocks("docs/matching.md")
    loads(text_of(catalog_document(apis=yaml.safe_load(apis), subscriptions=[])), CatalogDocument, "docs/matching.md")


@pytest.mark.parametrize("document", [ResidentSettings, ClientSettings])
def test_every_key_of_the_resident_key_manager_is_documented(document):
    page = text("docs/resident.md")
    assert [key for key in document.model_fields if not re.search(rf"[`{{ ]{key}[`:]", page)] == []


def test_the_examples_of_the_resident_key_manager_are_right():
    resident, catalog = yaml_blocks("docs/resident.md")
    loads(resident, ResidentSettings, "docs/resident.md")
    whole = catalog_document(**yaml.safe_load(catalog), applications=[], subscriptions=[])
    loads(text_of(whole), CatalogDocument, "docs/resident.md")


def test_the_examples_of_api_keys_are_right():
    settings, catalog, address = map(yaml.safe_load, yaml_blocks("docs/api-keys.md"))
    whole = settings | address | {"catalog": {"file": "catalog.yaml"}}
    loads(yaml.safe_dump(whole), Settings, "docs/api-keys.md")
    loads(text_of(catalog_document(**catalog, subscriptions=[])), CatalogDocument, "docs/api-keys.md")


def test_the_example_of_client_certificates_is_right():
    (catalog,) = map(yaml.safe_load, yaml_blocks("docs/mutual-tls.md"))
    loads(text_of(catalog_document(**catalog, subscriptions=[])), CatalogDocument, "docs/mutual-tls.md")


def test_the_example_of_a_shared_catalog_is_right():
    (settings,) = yaml_blocks("docs/catalog-store.md")
    loads(settings, Settings, "docs/catalog-store.md")
