"""`extauthz envoy-config`: Envoy's side of a configuration."""

from pathlib import Path
from typing import Annotated, Any

import typer
from envoy.config.bootstrap.v3.bootstrap_pb2 import LayeredRuntime
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.route.v3.route_components_pb2 import Route
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from extauthz.cli.envoy_config.cluster import cluster
from extauthz.cli.envoy_config.commented import because, commented, without_reasons
from extauthz.cli.envoy_config.connection_manager import connection_manager, layered_runtime
from extauthz.cli.envoy_config.ext_authz import ext_authz
from extauthz.cli.envoy_config.gateway_facts import GatewayFacts, gateway_facts
from extauthz.cli.envoy_config.routes import routes
from extauthz.cli.errors import bad_input, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.document.strict import load
from extauthz.envoy.listen_address import ListenAddress
from extauthz.settings.process import Settings

EXAMPLES = """Examples:

  extauthz envoy-config --config extauthz.yaml > envoy-extauthz.yaml

  extauthz envoy-config --config extauthz.yaml --address extauthz.auth.svc:9191 --catalog catalog.yaml
"""
_ANYS = (
    ext_authz_pb2.ExtAuthz,
    header_mutation_pb2.HeaderMutation,
    http_protocol_options_pb2.HttpProtocolOptions,
    tls_pb2.UpstreamTlsContext,
)
"""Messages that stand inside `typed_config`: to be found by their names, their modules must have been imported."""


def envoy_config(
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings of the replicas (YAML).")],
    address: Annotated[
        str | None,
        typer.Option("--address", "-a", help="Where Envoy reaches them: host:port or unix:/path; else as they listen."),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option("--catalog", help="A catalog (YAML), where the settings name none as a file.")
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Prints the parts of an Envoy configuration that belong to these settings, in YAML with the reasons.

    They are the filter, the cluster, what the connection manager must do before, and examples of routes. They go where
    their comments say; deploy/envoy/envoy.yaml is a whole one. JSON has no comments. Exit status 2: the settings or the
    catalog cannot be used.
    """
    if address is not None:
        try:
            ListenAddress.parse(address)
        except ValueError as error:
            raise bad_input(f"--address: {error}") from error
    with told_plainly():
        settings = load(config, Settings)
        if catalog is None and settings.catalog.file is not None and (config.parent / settings.catalog.file).is_file():
            catalog = config.parent / settings.catalog.file
        parts = envoy_parts(gateway_facts(settings, address, catalog))
    if output is Output.JSON:
        print_json(without_reasons(parts))
    else:
        typer.echo(commented(parts), nl=False)


def envoy_parts(facts: GatewayFacts) -> dict[str, Any]:
    """The parts, each of the type that Envoy takes there.

    Raises:
        google.protobuf.json_format.ParseError: a part is not of its type; a defect here.
    """
    runtime = layered_runtime()
    _typed(runtime, LayeredRuntime())
    manager, authorization, service, examples = connection_manager(facts), ext_authz(facts), cluster(facts), routes()
    _typed(manager, HttpConnectionManager())
    _typed(authorization, HttpFilter())
    _typed(service, Cluster())
    for example in examples:
        _typed(example, Route())
    return {
        "layered_runtime": because("Into the bootstrap.", runtime),
        "http_connection_manager": because("Into your HTTP connection manager.", manager),
        "http_filters": because(
            "Into its http_filters: before the router, and before all that trusts our headers.", [authorization]
        ),
        "clusters": because("Into static_resources.clusters.", [service]),
        "routes": because("Examples for a virtual host; `upstream` stands for a cluster of yours.", examples),
    }


def _typed(part: Any, message: Message) -> None:
    ParseDict(without_reasons(part), message)
