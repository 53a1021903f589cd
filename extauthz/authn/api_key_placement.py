"""Where a request carries an API key: a header, or a parameter of the query."""

import re
from functools import lru_cache
from urllib.parse import unquote

from extauthz.model.api_security import ApiKeyPlacement
from extauthz.model.check import PresentedApiKey, RequestContext
from extauthz.model.errors import Denied, Reason


def presented_api_key(request: RequestContext, placement: ApiKeyPlacement) -> PresentedApiKey | None:
    """The one API key of a request; None if it carries none.

    Which of several keys is meant would be the client's choice, and perhaps another one than the upstream's.

    Raises:
        Denied: invalid_request: more than one, or one that Envoy would not find and remove.
    """
    found: list[str] = []
    if placement.header is not None and (value := request.headers.get(placement.header).strip(" \t")):
        # A header that came twice arrives joined by a comma, which no key has.
        found += value.split(",")
    if placement.query is not None:
        found += _parameters(request.path, placement.query)
    if len(found) > 1:
        raise Denied(Reason.INVALID_REQUEST, "more than one API key")
    return PresentedApiKey(value=found[0]) if found else None


def _parameters(path: str, name: str) -> list[str]:
    _, _, query = path.partition("?")
    parameters = list(_named(name).finditer(query))
    if any(parameter[1] != name for parameter in parameters):
        # Envoy removes parameters by their names as they are written.
        raise Denied(Reason.INVALID_REQUEST, "the name of the API key's parameter is escaped")
    return [unquote(parameter[2] or "") for parameter in parameters]


@lru_cache(maxsize=1024)
def _named(name: str) -> re.Pattern[str]:
    """Finds the parameters of a query that have this name, however it is escaped; with the name and value as written.

    One expression, since a stranger may send many thousand parameters, and each of them would cost something in Python.
    """
    spelled = "".join(f"(?:{re.escape(character)}|(?i:%{ord(character):02x}))" for character in name)
    return re.compile(rf"(?:^|(?<=&))({spelled})(?:=([^&]*))?(?=&|\Z)")
