import io

from rich.console import Console

from extauthz.cli.progress import working


def shown(*, terminal):
    out = io.StringIO()
    with working(Console(file=out, force_terminal=terminal, width=100)) as work:
        work.begin("reading [file]")
        work.come(1, 2)
        work.begin("writing")
        work.come(3, 4)
    return out.getvalue()


def test_a_terminal_sees_what_is_done_and_how_far():
    assert "writing" in shown(terminal=True)
    assert "3/4" in shown(terminal=True)


def test_nobody_else_sees_anything():
    assert shown(terminal=False) == ""
