"""Revocations as WSO2 Identity Server notifies of them (wso2-facts §1.3)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from extauthz.model.clock import Clock
from extauthz.revocation.revocation import LATEST_TIME, Revocation, RevocationForm

_Text = Annotated[str, Field(min_length=1, max_length=65_536)]
_Milliseconds = Annotated[float, Field(allow_inf_nan=False)]

_NEAREST_END_SECONDS = 60.0
_FARTHEST_END_SECONDS = 100 * 365 * 86_400.0
"""From now: an end outside of these is a wrong unit, a wrong clock or a way to say that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSource:
    """Whose tokens notifications are about: they name neither a key manager of ours nor an organization."""

    organization: str
    key_manager: str

    def revocations(self, members: dict[str, Any], clock: Clock) -> list[Revocation]:
        """What a notification revokes.

        Raises:
            pydantic.ValidationError: it is none of the three.
        """
        match _NOTIFICATION.validate_python(members):
            case _TokenRevocation() as event:
                # `accessToken` is the `jti` of a JWT, and else the token itself.
                forms = (RevocationForm.TOKEN_ID, RevocationForm.TOKEN)
                end = _end(event.expiry_time, clock())
                return [self._of(form, event.access_token, expires_at=end) for form in forms]
            case _ConsumerAppRevocation() as event:
                return [self._of(RevocationForm.CLIENT, event.consumer_key, issued_until=event.time(clock))]
            case _SubjectEntityRevocation() as event:
                client = event.entity_type == "CLIENT_ID"
                form = RevocationForm.CLIENT if client else RevocationForm.SUBJECT
                return [self._of(form, event.entity_id, issued_until=event.time(clock))]

    def _of(
        self, form: RevocationForm, value: str, *, issued_until: float | None = None, expires_at: float | None = None
    ) -> Revocation:
        return Revocation(
            organization=self.organization,
            key_manager=self.key_manager,
            form=form,
            value=value,
            issued_until=issued_until,
            expires_at=expires_at,
        )


class _Event(BaseModel):
    """Members that we have no use for are ignored: which ones there are changes with the version of the server."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    time_stamp: _Milliseconds = Field(default=0, alias="timeStamp")


class _TokenRevocation(_Event):
    type: Literal["token_revocation"]
    access_token: _Text = Field(alias="accessToken", repr=False)
    expiry_time: _Milliseconds = Field(default=0, alias="expiryTime")


class _IndirectRevocation(_Event):
    revocation_time: _Milliseconds = Field(default=0, alias="revocationTime")

    def time(self, clock: Clock) -> float:
        """Seconds; without a time of its own it is that of the notification, and else now."""
        return next(
            (ms / 1000 for ms in (self.revocation_time, self.time_stamp) if 0 < ms / 1000 <= LATEST_TIME), clock()
        )


class _ConsumerAppRevocation(_IndirectRevocation):
    type: Literal["consumer_app_revocation_event"]
    consumer_key: _Text = Field(alias="consumerKey")


class _SubjectEntityRevocation(_IndirectRevocation):
    type: Literal["subject_entity_revocation_event"]
    entity_id: _Text = Field(alias="entityId", repr=False)
    entity_type: Literal["USER_ID", "CLIENT_ID"] = Field(alias="entityType")


_Notification = Annotated[
    _TokenRevocation | _ConsumerAppRevocation | _SubjectEntityRevocation, Field(discriminator="type")
]
_NOTIFICATION: TypeAdapter[_TokenRevocation | _ConsumerAppRevocation | _SubjectEntityRevocation] = TypeAdapter(
    _Notification
)


def _end(milliseconds: float, now: float) -> float | None:
    """`exp` in seconds; None, so that the revocation is kept for the whole retention, if it cannot be believed.

    Nobody reads our answer to a notification, so an end in the past is not refused: the revocation would be lost.
    """
    end = milliseconds / 1000
    believable = _NEAREST_END_SECONDS <= end - now <= _FARTHEST_END_SECONDS and end <= LATEST_TIME
    return end if believable else None
