"""A revocation in our own JSON."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from extauthz.model.clock import Clock
from extauthz.model.key_manager import DEFAULT_ORGANIZATION
from extauthz.revocation.revocation import LATEST_TIME, Revocation, RevocationForm

_Text = Annotated[str, Field(min_length=1, max_length=65_536)]
_Seconds = Annotated[float, Field(ge=0, le=LATEST_TIME, allow_inf_nan=False)]


class RevocationDocument(BaseModel):
    """One token (`token`, `jti`), or all that were issued to somebody (`client_id`, `subject`) until some time.

    Times are seconds since the epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    organization: _Text = DEFAULT_ORGANIZATION
    key_manager: _Text
    token: _Text | None = Field(default=None, repr=False)
    jti: _Text | None = Field(default=None, repr=False)
    client_id: _Text | None = None
    subject: _Text | None = Field(default=None, repr=False)
    expires_at: _Seconds | None = None
    issued_until: _Seconds | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_form(cls, members: Any) -> Any:
        if isinstance(members, dict) and (mistake := next(_mistakes(members), None)):
            raise ValueError(mistake)
        return members

    def revocation(self, clock: Clock) -> Revocation:
        """What it revokes; without `issued_until`, all that was issued until now.

        Raises:
            ValueError: `expires_at` is over, so that nothing would be kept; the text is fit to be told.
        """
        now = clock()
        if self.expires_at is not None and self.expires_at <= now:
            raise ValueError("expires_at: is in the past; give seconds since 1970, or leave it out if it is not known")
        form = next(form for name, form in _FORMS.items() if getattr(self, name) is not None)
        value: str = getattr(self, next(name for name, its in _FORMS.items() if its is form))
        issued_until = self.issued_until if self.issued_until is not None else now
        return Revocation(
            organization=self.organization,
            key_manager=self.key_manager,
            form=form,
            value=value,
            issued_until=issued_until if form.indirect else None,
            expires_at=self.expires_at,
        )


_FORMS = {
    "token": RevocationForm.TOKEN,
    "jti": RevocationForm.TOKEN_ID,
    "client_id": RevocationForm.CLIENT,
    "subject": RevocationForm.SUBJECT,
}


def _mistakes(members: dict[str, Any]) -> Iterator[str]:
    forms = [form for name, form in _FORMS.items() if members.get(name) is not None]
    if len(forms) != 1:
        yield f"give exactly one of {', '.join(f'`{name}`' for name in _FORMS)}"
    elif forms[0].indirect and members.get("expires_at") is not None:
        yield "`expires_at` belongs to `token` and `jti`"
    elif not forms[0].indirect and members.get("issued_until") is not None:
        yield "`issued_until` belongs to `client_id` and `subject`"
