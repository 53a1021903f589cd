"""The request that the options of `extauthz check` describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from extauthz.cli.check.reference import Reference, pem_of, token_of
from extauthz.envoy_client.sample_request import SampleRequest, Target

METHOD = "GET"
PEER_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """What was given of them."""

    method: str
    header: Sequence[str]
    token: str | None
    certificate: Path | None
    peer_address: str
    api: str | None

    @property
    def given(self) -> list[str]:
        """Those that differ from what holds without them."""
        options = {
            "--method": self.method != METHOD,
            "--header": bool(self.header),
            "--token": self.token is not None,
            "--certificate": self.certificate is not None,
            "--peer-address": self.peer_address != PEER_ADDRESS,
            "--api": self.api is not None,
        }
        return [name for name, given in options.items() if given]

    def sample_request(self, url: str) -> SampleRequest:
        """The request for a URL.

        Raises:
            ValueError: an option is of no use; a token is never repeated.
        """
        try:
            target = Target.parse(url)
        except ValueError as error:
            raise ValueError(f"--url: {error}") from error
        if self.token is not None and any(each.lower().startswith("authorization:") for each in self.header):
            raise ValueError("--token and the header authorization contradict each other")
        headers = dict(_header(each) for each in self.header)
        if self.token is not None:
            headers["authorization"] = f"Bearer {token_of(self.token, Path())}"
        return SampleRequest(
            target=target,
            method=self.method,
            headers=headers,
            certificate=pem_of(self.certificate) if self.certificate is not None else "",
            peer_address=self.peer_address,
            api=self.api,
        )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name, value = name.strip().lower(), value.strip()
    if not colon or not name:
        raise ValueError("--header must be like `name: value`")
    reference = Reference.parse(value)
    if name == "authorization" and reference is None:
        raise ValueError("a token is no argument, which every user of a machine can see: use --token")
    return name, value if reference is None else reference.value(Path())
