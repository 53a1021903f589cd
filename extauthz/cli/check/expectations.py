"""The file of `check --file`: requests, and what is expected of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from extauthz.cli.check.reference import Reference, pem_of
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.document.strict import Strict
from extauthz.envoy_client.sample_request import SampleRequest, Target
from extauthz.model.errors import Reason
from extauthz.settings.values import HeaderName, Text

Method = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")]
_IP_CHARACTERS = r"^[0-9A-Fa-f.:]{2,45}$"


class RequestDocument(Strict):
    """A request."""

    method: Method = "GET"
    url: Text
    """`https://host/path?query`, as a client would ask for it."""
    headers: dict[HeaderName, Text | Reference] = Field(default_factory=dict)
    """By name; a value that is a secret is named by `env` or `file`."""
    token: Reference | None = None
    """An access token, sent as `Authorization: Bearer`."""
    certificate: Text | None = None
    """PEM file with the certificate that the client showed to Envoy."""
    peer_address: Annotated[str, Field(pattern=_IP_CHARACTERS)] = "127.0.0.1"
    """IP address of the client's end of the connection to Envoy."""
    api: Text | None = None
    """Id of the API that the route names; without it, host and path say which."""

    def contradictions(self) -> Iterator[Mistake]:
        """A URL, and no token in the clear."""
        try:
            Target.parse(self.url)
        except ValueError as error:
            yield Mistake(location=("url",), message=str(error))
        for name, value in self.headers.items():
            if name.lower() == "authorization" and isinstance(value, str):
                hint = "use `token`, or `authorization: {env: NAME}`"
                yield Mistake(location=("headers", name), message="is written down here", hint=hint)
            elif name.lower() == "authorization" and self.token is not None:
                yield Mistake(location=("headers", name), message="contradicts `token`")


class ExpectDocument(Strict):
    """What is expected; what is left out is not looked at."""

    decision: Literal["allow", "deny"]
    reason: Reason | None = None
    """Of a refusal, as in docs/refusals.md."""
    code: Text | None = None
    """Of a refusal, e.g. `"900910"`."""
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    """HTTP status of a refusal."""
    api: Text | None = None
    """Id of the API. Of a refusal, a replica does not tell it: that needs `--config`."""
    resource: Text | None = None
    """Template of the resource, likewise."""
    application: Text | None = None
    """Id of the caller's application."""
    upstream_headers: dict[HeaderName, Text] = Field(default_factory=dict)
    """Headers that the upstream gets from us, with their values."""
    sets: tuple[HeaderName, ...] = ()
    """Headers that the upstream gets from us, whatever their value."""
    removes: tuple[Text, ...] = ()
    """Headers that the upstream does not get from the client."""

    def contradictions(self) -> Iterator[Mistake]:
        """A refusal has a reason, and an allowed request an upstream."""
        of_refusals: dict[str, object] = {"reason": self.reason, "code": self.code, "status": self.status}
        of_allowed: dict[str, object] = {"application": self.application, "upstream_headers": self.upstream_headers}
        of_allowed |= {"sets": self.sets, "removes": self.removes}
        wrong, other = (of_refusals, "deny") if self.decision == "allow" else (of_allowed, "allow")
        for name, value in wrong.items():
            if value:
                yield Mistake(location=(name,), message=f"goes with `decision: {other}`")


class CaseDocument(Strict):
    """One request with its expectation."""

    name: Text
    request: RequestDocument
    expect: ExpectDocument


class ExpectationsDocument(Strict):
    """The file of `extauthz check --file`."""

    cases: Annotated[tuple[CaseDocument, ...], Field(min_length=1)]

    def contradictions(self) -> Iterator[Mistake]:
        """A failed case is known by its name."""
        names = [case.name for case in self.cases]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Mistake(location=("cases", index, "name"), message=f"`{name}` stands twice")


def sample_requests(document: ExpectationsDocument, file: Path) -> dict[str, SampleRequest]:
    """The requests by the name of their case, with what they refer to.

    Raises:
        DocumentError: with every reference that leads nowhere.
    """
    requests: dict[str, SampleRequest] = {}
    mistakes = []
    for index, case in enumerate(document.cases):
        try:
            requests[case.name] = _sample_request(case.request, file.parent)
        except ValueError as error:
            mistakes.append(Mistake(location=("cases", index, "request"), message=str(error)))
    if mistakes:
        raise DocumentError(str(file), mistakes)
    return requests


def _sample_request(document: RequestDocument, folder: Path) -> SampleRequest:
    headers = {
        name: value if isinstance(value, str) else value.value(folder) for name, value in document.headers.items()
    }
    if document.token is not None:
        headers["authorization"] = f"Bearer {document.token.value(folder)}"
    return SampleRequest(
        method=document.method,
        target=Target.parse(document.url),
        headers=headers,
        certificate=pem_of(folder / document.certificate) if document.certificate is not None else "",
        peer_address=document.peer_address,
        api=document.api,
    )
