"""What a CheckResponse says, read as Envoy reads it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from google.protobuf.json_format import MessageToDict
from google.rpc import code_pb2

from extauthz.envoy.refusals import REFUSALS
from extauthz.model.errors import Reason

_ERROR = re.compile(r'\berror="([a-z_]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a Check."""

    allowed: bool
    grpc_code: int
    """`google.rpc.Code`; 0 allows."""
    http_status: int
    """What the client gets; 200 where the request goes on to the upstream."""
    code: str | None = None
    """Our code of the refusal, e.g. `900910`; None: allowed, or a body that is not ours."""
    reason: Reason | None = None
    """What the code, the status and the challenge mean together; None: allowed, or not of our table."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Set on the request to the upstream, or on the refusal; by name in lower case."""
    removed_headers: tuple[str, ...] = ()
    removed_parameters: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Dynamic metadata, which later filters and the access log see."""

    @property
    def shadow_reason(self) -> Reason | None:
        """Why the request would have been refused but for shadow mode; None: it would not, or is."""
        said = self.metadata.get("shadow_reason")
        return next((reason for reason in Reason if reason == said), None)

    @property
    def grpc_name(self) -> str:
        """The name of `grpc_code`."""
        return grpc_code_name(self.grpc_code)


def grpc_code_name(code: int) -> str:
    """The name of a `google.rpc.Code`, or its number."""
    name: str = code_pb2.Code.Name(code) if code in code_pb2.Code.values() else str(code)
    return name


def answer_of(response: CheckResponse) -> Answer:
    """The status decides, whatever else is set, as in Envoy."""
    metadata = {name: str(value) for name, value in MessageToDict(response.dynamic_metadata).items()}
    if response.status.code == code_pb2.OK:
        ok = response.ok_response
        return Answer(
            allowed=True,
            grpc_code=code_pb2.OK,
            http_status=HTTPStatus.OK,
            headers=_headers(ok.headers),
            removed_headers=tuple(ok.headers_to_remove),
            removed_parameters=tuple(ok.query_parameters_to_remove),
            metadata=metadata,
        )
    denied = response.denied_response
    status = denied.status.code or HTTPStatus.FORBIDDEN  # Envoy's own, where the refusal names none
    headers, code = _headers(denied.headers), _code(denied.body)
    return Answer(
        allowed=False,
        grpc_code=response.status.code,
        http_status=status,
        code=code,
        reason=_reason(code, status, headers.get("www-authenticate", "")),
        headers=headers,
        metadata=metadata,
    )


def _headers(options: object) -> dict[str, str]:
    return {option.header.key.lower(): option.header.value for option in options}  # type: ignore[attr-defined]


def _code(body: str) -> str | None:
    """Of a body in any of the three forms."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    said = said.get("fault", said) if isinstance(said, dict) else {}
    return str(said["code"]) if isinstance(said, dict) and "code" in said else None


def _reason(code: str | None, status: int, challenge: str) -> Reason | None:
    found = _ERROR.search(challenge)
    said = (code, status, found.group(1) if found else None)
    meant = (reason for reason, refusal in REFUSALS.items() if (refusal.code, refusal.status, refusal.error) == said)
    return next(meant, None)
