"""Every fenced block of the pages is right: it is validated, or run, as what it shows."""

import pytest
from docs.commands import PROGRAMS, check_commands, check_console, check_inline, check_synopsis
from docs.languages import (
    check_dockerfile,
    check_json,
    check_nginx,
    check_printed,
    check_promql,
    check_python,
    check_toml,
)
from docs.pages import Block, blocks, blocks_of, inline_code, pages, text
from docs.yaml_kinds import UnknownKindError, validate


def _untold(block: Block) -> None:
    """A block without a language is a synopsis or a transcript of `extauthz`."""
    if block.text.startswith("extauthz "):
        check_synopsis(block)
    elif block.text.startswith("$ "):
        check_console(block)
    else:
        raise UnknownKindError(f"{block}: say its language after the fence, `text` for what is only looked at")


LANGUAGES = {
    "yaml": validate,
    "sh": check_commands,
    "console": check_console,
    "": _untold,
    "json": check_json,
    "python": check_python,
    "toml": check_toml,
    "nginx": check_nginx,
    "promql": check_promql,
    "dockerfile": check_dockerfile,
    "text": check_printed,
}


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_block_is_right(block):
    assert block.language in LANGUAGES, f"{block}: nobody checks `{block.language}`; known are {', '.join(LANGUAGES)}"
    LANGUAGES[block.language](block)


def block(language, content, marker=""):
    return Block(page="page.md", line=1, language=language, text=content, marker=marker)


@pytest.mark.parametrize(
    ("language", "content", "marker"),
    [
        ("yaml", "lisen: 127.0.0.1:9191\nlimits: {check_seconds: 1}\n", ""),
        ("yaml", "limits: {check_seconds: -1}\n", ""),
        ("yaml", "apis: [{id: petstore}]\n", ""),
        ("yaml", "image: {registri: registry.example.com}\n", ""),
        ("yaml", "failure_mode_allow: 7\n", ""),
        ("yaml", "anything: 1\n", "other"),
        ("yaml", "cases: [{name: a}]\n", ""),
        ("sh", "extauthz serve --confg extauthz.yaml\n", ""),
        ("sh", "extauthz serve --config extauthz.yaml | unknown-program\n", ""),
        ("sh", "make no-such-target\n", ""),
        ("", "extauthz serve --no-such-option\n", ""),
        ("", "what is this\n", ""),
        ("console", "$ extauthz unknown\n", ""),
        ("sh", 'echo "$(make no-such-target)"\n', ""),
        ("sh", "helm install a deploy/helm/extauthz --valuse values.yaml\n", ""),
        ("yaml", "apiVersion: v1\nkind: Service\nspec: {port: 1}\n", ""),
        ("yaml", "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nspec: {hosts: a}\n", ""),
        ("yaml", "apiVersion: example.com/v1\nkind: Nobodys\n", ""),
        ("yaml", "meshConfig: {extensionProviders: [{name: a, envoyExtAuthzGrpc: {service: b}}]}\n", ""),
        ("yaml", "http: {middlewares: {a: {forwardAuth: {adress: http://127.0.0.1}}}}\n", ""),
        ("json", "{", ""),
        ("json", '{"event": "denied", "becuase": ""}', ""),
        ("python", "def", ""),
        ("python", "from extauthz.extensions import Nothing\n", ""),
        ("toml", '[project.entry-points."extauthz.autorizers"]\na = "b:c"\n', ""),
        ("nginx", "location / {\n", ""),
        ("nginx", "auth_reqest /a;\n", ""),
        ("dockerfile", "FROM python\nCOPI a b\n", ""),
        ("text", "what is this\n", ""),
        ("promql", "rate(extauthz_no_such_total[5m])\n", ""),
    ],
)
def test_a_wrong_block_is_found(language, content, marker):
    with pytest.raises(Exception):  # noqa: B017 - whatever its checker raises
        LANGUAGES[language](block(language, content, marker))


def test_a_block_of_unknown_kind_fails_with_what_to_do():
    with pytest.raises(UnknownKindError, match=r"page.md:1: .*<!-- block: KIND -->"):
        validate(block("yaml", "nobody: knows\n"))


def test_blocks_are_found_in_lists_and_with_their_markers():
    page = "- a list\n\n  <!-- block: settings -->\n  ```yaml\n  listen: unix:/a\n  ```\n\n```sh\nmake test\n```\n"
    first, second = blocks_of(page, "page.md")
    assert (first.marker, first.text, first.line) == ("settings", "listen: unix:/a\n", 4)
    assert (second.marker, second.language) == ("", "sh")


def test_a_block_that_does_not_end_is_found():
    with pytest.raises(ValueError, match="does not end"):
        blocks_of("```sh\nmake test\n", "page.md")


@pytest.mark.parametrize(
    "content",
    [
        "~~~sh\nmake test\n~~~\n",
        "````sh\nmake test\n````\n",
        "```sh title\nmake test\n```\n",
        "text ```make test```\n",
        "> ```sh\n> make test\n> ```\n",
        "\n    make test\n",
        "\n\tmake test\n",
        "<pre>make test</pre>\n",
        "  <code>\n",
    ],
)
def test_no_other_way_to_write_a_block_escapes(content):
    with pytest.raises(ValueError, match="write blocks between"):
        blocks_of(content, "page.md")


COMMANDS = [
    pytest.param(code, page, id=f"{page}-{code}")
    for page in pages()
    for code in sorted(set(inline_code(text(page))))
    if " " in code and code.partition(" ")[0] in PROGRAMS
]


@pytest.mark.parametrize(("code", "page"), COMMANDS)
def test_a_command_in_the_prose_is_one(code, page):
    check_inline(code, page)


@pytest.mark.parametrize(
    "code", ["extauthz serv --config extauthz.yaml", "extauthz serve --confg", "make no-such", "pip install ext[none]"]
)
def test_a_wrong_command_in_the_prose_is_found(code):
    with pytest.raises(AssertionError):
        check_inline(code, "page.md")


def test_commands_in_the_prose_are_found():
    assert inline_code("See `extauthz\nserve`, ``a `b` c``.\n\n```sh\n`make`\n```\n") == ["extauthz serve"]
    assert len(COMMANDS) > 40
