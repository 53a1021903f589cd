"""What a check found, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.table import Table

from extauthz.cli.check.comparison import known_of
from extauthz.cli.check.meanings import MEANINGS
from extauthz.cli.check.shown import shown_headers, shown_names
from extauthz.cli.check.source import Told
from extauthz.cli.check.stages import Outcome, explained
from extauthz.cli.output import console, print_json
from extauthz.envoy_client.sample_request import SampleRequest
from extauthz.model.errors import Reason

_SIGNS = {Outcome.PASSED: "✓", Outcome.REFUSED: "✗"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCase:
    """A case of a file, and in what the answer differs from what was expected."""

    name: str
    request: SampleRequest
    told: Told
    differences: Sequence[str]


def print_answer(request: SampleRequest, told: Told, *, explain: bool) -> None:
    """One answer as text."""
    typer.echo(f"{_asked(request)}: {_verdict(told)}")
    if (reason := told.answer.reason or told.answer.shadow_reason) is not None:
        typer.echo(f"  meaning: {MEANINGS[reason]} (docs/refusals.md)")
    for name, value in _details(told).items():
        typer.echo(f"  {name}: {value}")
    if explain:
        console().print(_stages(told))


def print_answer_json(request: SampleRequest, told: Told, *, explain: bool) -> None:
    """One answer as JSON."""
    print_json(_document(request, told, explain=explain))


def print_cases(cases: Sequence[CheckedCase], *, explain: bool) -> None:
    """The cases of a file as a table; with `explain`, the stages of those that differ below it."""
    table = Table("", "case", "request", "answer", "differs")
    for case in cases:
        sign = "✗" if case.differences else "✓"
        table.add_row(sign, case.name, _asked(case.request), _verdict(case.told), "; ".join(case.differences))
    console().print(table)
    for case in cases:
        if explain and case.differences:
            typer.echo(f"{case.name}:")
            console().print(_stages(case.told))
    failed = sum(bool(case.differences) for case in cases)
    typer.echo(f"{len(cases) - failed} as expected, {failed} not")


def print_cases_json(cases: Sequence[CheckedCase], *, explain: bool) -> None:
    """The cases of a file as JSON."""
    failed = sum(bool(case.differences) for case in cases)
    listed = [
        {"name": case.name, "as_expected": not case.differences, "differences": list(case.differences)}
        | _document(case.request, case.told, explain=explain)
        for case in cases
    ]
    print_json({"as_expected": len(cases) - failed, "not_as_expected": failed, "cases": listed})


def _asked(request: SampleRequest) -> str:
    # Without the query, which may hold an API key.
    return f"{request.method} {request.target.host}{request.target.path.partition('?')[0]}"


def _verdict(told: Told) -> str:
    answer = told.answer
    if answer.shadow_reason:
        return f"allowed in shadow mode, refused without it: {answer.shadow_reason}"
    if answer.allowed:
        return "allowed"
    ours = [f"{answer.reason} ({answer.code})"] if answer.reason else []
    return f"refused: {', '.join([*ours, f'HTTP {answer.http_status}', answer.grpc_name])}"


def _details(told: Told) -> dict[str, str]:
    """What an answer says; a refusal's headers are for the client."""
    answer = told.answer
    found = {f"{name}": ", ".join(values) for name, values in _listed(told).items() if values}
    if answer.metadata:
        found["dynamic metadata"] = ", ".join(f"{name}={value}" for name, value in sorted(answer.metadata.items()))
    return found | {"answered in": f"{told.seconds * 1000:.1f} ms"}


def _listed(told: Told) -> dict[str, list[str]]:
    answer = told.answer
    headers = [f"{name}: {value}" for name, value in shown_headers(answer.headers).items()]
    return {
        "upstream gets" if answer.allowed else "client gets": headers,
        "headers removed, however spelled": shown_names(answer.removed_headers, answer.headers),
        "query parameters removed": sorted(answer.removed_parameters),
    }


def _stages(told: Told) -> Table:
    table = Table(show_header=False, box=None)
    for stage in explained(told):
        said = stage.said if stage.outcome is Outcome.PASSED else f"{stage.outcome}: {stage.said}".removesuffix(": ")
        table.add_row(" ", _SIGNS.get(stage.outcome, "·"), stage.name, said)
    return table


def _document(request: SampleRequest, told: Told, *, explain: bool) -> dict[str, Any]:
    answer = told.answer
    document: dict[str, Any] = {
        "request": _asked(request),
        "decision": "allow" if answer.allowed else "deny",
        "shadow_reason": answer.shadow_reason,
        **known_of(told),
        "code": answer.code,
        "meaning": MEANINGS[Reason(answer.reason)] if answer.reason else None,
        "http_status": answer.http_status,
        "grpc_code": answer.grpc_name,
        "headers": shown_headers(answer.headers),
        "removed_headers": sorted(answer.removed_headers),
        "removed_query_parameters": sorted(answer.removed_parameters),
        "dynamic_metadata": dict(answer.metadata),
        "milliseconds": round(told.seconds * 1000, 3),
    }
    if explain:
        document["asked"] = {"caches": list(told.asked.caches), "key_managers": list(told.asked.calls)}
        document["stages"] = [{"name": s.name, "outcome": s.outcome, "said": s.said} for s in explained(told)]
    return document
