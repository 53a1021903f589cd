"""How many processes there can be."""

import pytest
from typer.testing import CliRunner

from extauthz.cli.application import application


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_there_is_at_least_one_worker(count):
    result = CliRunner().invoke(application, ["serve", "--config", "none.yaml", "--workers", count])
    assert result.exit_code == 2
    assert "--workers" in result.output
