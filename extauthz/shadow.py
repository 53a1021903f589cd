"""Shadow mode: which refusals are recorded, and not enforced."""

from dataclasses import replace

from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.check import Deny, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable


class Shadow:
    """Marks refusals that let the request through: all of them, or those of APIs in shadow."""

    def __init__(self, catalog: Catalog, *, everywhere: bool = False) -> None:
        """`everywhere`: also where no API is found, no time is left or something goes wrong."""
        self._catalog = catalog
        self._everywhere = everywhere

    def __call__(self, deny: Deny, request: RequestContext | None) -> Deny:
        """The refusal, marked if it is not enforced; `request` is None where none could be read."""
        if deny.api is None and request is not None and deny.reason is not Reason.NO_MATCHING_API:
            # Who ran out of time, or failed, does not say on which API.
            deny = replace(deny, api=self._api(request))
        if self._everywhere or (deny.api is not None and deny.api.shadow):
            return replace(deny, shadow=True)
        return deny

    def _api(self, request: RequestContext) -> Api | None:
        try:
            return self._catalog.locate(request).indexed.api
        except (Denied, Unavailable):
            return None
