"""What the demo prints."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from extauthz.cli.demo.scenario import Outcome
from extauthz.cli.demo.world import World

_DIALECT = "http://wso2.org/claims/"
_SHOWN_CLAIMS = ("sub", f"{_DIALECT}applicationname", f"{_DIALECT}tier", f"{_DIALECT}keytype")


def print_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """The table, and below it whatever was not as expected."""
    table = Table(title="Requests through Envoy", title_justify="left")
    for heading in ("", "what it shows", "request", "status", "code", "what the upstream saw"):
        table.add_column(heading, no_wrap=heading in {"status", "code"})
    for outcome in outcomes:
        row = outcome.row
        table.add_row(
            "[red]✗[/]" if outcome.problems else "[green]✓[/]",
            row.shows,
            f"{row.method} {row.path}",
            str(outcome.status),
            outcome.code or "",
            _upstream_text(outcome),
        )
    console.print(table)
    for outcome in outcomes:
        for problem in outcome.problems:
            console.print(f"[red]✗ {outcome.row.shows}: {problem}[/]")


def print_invitation(console: Console, world: World, token: str) -> None:
    """Commands to try while the demo is up."""
    console.print("\nAll of it keeps running. Try:\n")
    token_endpoint = f"{world.issuer_url('resident')}/oauth2/token"
    operator = f"'Authorization: Bearer {world.operator_token}'"
    revocation = """-d '{"key_manager": "resident", "client_id": "mobile-client"}'"""
    lines = (
        f"curl -i {world.envoy_url}/weather/v1/forecast",
        f"curl -i {world.envoy_url}/weather/v1/forecast -H 'Authorization: Bearer {token}'",
        f"curl -i {world.envoy_url}/billing/v1/invoices -H 'Authorization: Bearer {token}'",
        f"curl -s {world.operations_url}/readyz",
        f"curl -s {world.operations_url}/jwks",
        f"curl -i {world.operations_url}/revocations -H {operator} {revocation}",
        f"curl -s -u mobile-opaque:{world.client_secret} -d grant_type=client_credentials {token_endpoint}",
    )
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"\nSettings, catalog and logs are in {world.folder}; a change of catalog.yaml works at once.")
    console.print("Ctrl-C stops everything.", soft_wrap=True)


def _upstream_text(outcome: Outcome) -> str:
    if outcome.upstream is None:
        return "[dim]the request did not get there[/]"
    claims = outcome.backend_claims
    if not claims:
        return "no X-JWT-Assertion, no Authorization"
    shown = ", ".join(f"{name.removeprefix(_DIALECT)}={claims[name]}" for name in _SHOWN_CLAIMS if name in claims)
    return f"X-JWT-Assertion ({shown})"
