from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class TokenFacts(_message.Message):
    __slots__ = ("form", "believe_until", "refusal", "issuer", "subject", "client_id", "scopes", "audiences", "expires_at", "not_before", "issued_at", "token_type", "token_id", "signing_key", "claims_json")
    FORM_FIELD_NUMBER: _ClassVar[int]
    BELIEVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_JSON_FIELD_NUMBER: _ClassVar[int]
    form: str
    believe_until: float
    refusal: str
    issuer: str
    subject: str
    client_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    audiences: _containers.RepeatedScalarFieldContainer[str]
    expires_at: float
    not_before: float
    issued_at: float
    token_type: str
    token_id: str
    signing_key: str
    claims_json: bytes
    def __init__(self, form: _Optional[str] = ..., believe_until: _Optional[float] = ..., refusal: _Optional[str] = ..., issuer: _Optional[str] = ..., subject: _Optional[str] = ..., client_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., audiences: _Optional[_Iterable[str]] = ..., expires_at: _Optional[float] = ..., not_before: _Optional[float] = ..., issued_at: _Optional[float] = ..., token_type: _Optional[str] = ..., token_id: _Optional[str] = ..., signing_key: _Optional[str] = ..., claims_json: _Optional[bytes] = ...) -> None: ...
