"""No package overwrites another's files: which of them won would depend on the order in which pip writes."""

from importlib import metadata

# Its packages have names that others like too: `envoy`, `opentelemetry.proto`, `google.api`, `google.rpc`.
NEEDED = "xds-protos"


def files(distribution):
    return {str(path) for path in distribution.files or () if "__pycache__" not in path.parts}


def test_nobody_else_ships_a_file_of_xds_protos():
    ours = files(metadata.distribution(NEEDED))
    assert "opentelemetry/proto/trace/v1/trace_pb2.py" in ours
    others = (each for each in metadata.distributions() if each.name != NEEDED)
    assert {each.name: shared for each in others if (shared := sorted(files(each) & ours))} == {}
