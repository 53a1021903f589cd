import itertools
import string
from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import Field

from extauthz.document.mistakes import DocumentError, Mistake, path_text
from extauthz.document.strict import CrossCheck, Strict, loads, refusal


class Part(Strict):
    number: int
    word: str = ""

    def contradictions(self) -> Iterator[Mistake]:
        if self.number == 13:
            yield Mistake(location=("number",), message="brings bad luck", hint="take 12")


def _numbers_differ(first: Part | None, parts: tuple[Part, ...]) -> Iterator[Mistake]:
    for index, part in enumerate(parts):
        if first and part.number == first.number:
            yield Mistake(location=("parts", index, "number"), message="is taken")


class Described(Strict):
    size: int = Field(default=1, description="in metres, e.g. 2")
    sides: tuple[Part, ...] = Field(default=(), min_length=1, description="a list of parts")


class Document(Strict):
    described: Described = Described()
    first: Part | None = None
    parts: tuple[Part, ...] = ()
    named: dict[str, Part] = Field(default_factory=dict)
    cross_checks: ClassVar[tuple[CrossCheck, ...]] = (CrossCheck(needs=("first", "parts"), find=_numbers_differ),)


def mistakes(text: str) -> dict[str, Mistake]:
    with pytest.raises(DocumentError) as caught:
        loads(text, Document, "file.yaml")
    return {path_text(mistake.location): mistake for mistake in caught.value.mistakes}


def test_a_right_document_becomes_values():
    document = loads("first: {number: 1}\nparts: [{number: 2, word: two}]", Document, "f")
    assert document == Document(first=Part(number=1), parts=(Part(number=2, word="two"),))


def test_every_kind_of_mistake_is_reported_at_once_with_its_line():
    found = mistakes(
        "first: {number: 1}\n"
        "parts:\n"
        "- {number: 1, wird: x}\n"
        "named:\n"
        "  a: {number: 13}\n"
        "  b: {word: x}\n"
        "  c: {number: '1'}\n"
        "  c: {number: 1}\n"
        "other: 1\n"
    )
    assert found.keys() == {"parts[0].wird", "named.a.number", "named.b.number", "named.c", "other"}
    assert {place: mistake.line for place, mistake in found.items()} == {
        "parts[0].wird": 3,
        "named.a.number": 5,
        "named.b.number": 6,
        "named.c": 8,
        "other": 9,
    }


def test_a_misspelt_key_is_told_its_likely_name():
    assert mistakes("parts: [{number: 1, wird: x}]")["parts[0].wird"].hint == "did you mean `word`?"


def test_a_field_that_is_described_is_hinted_at_in_those_words():
    found = mistakes("described: {size: long, sides: [1, {number: x}], sizes: 1}")
    assert {place: mistake.hint for place, mistake in found.items()} == {
        "described.size": "write a plain int, without quotes; in metres, e.g. 2",
        "described.sides[0]": "a list of parts",
        "described.sides[1].number": "write a plain int, without quotes",
        "described.sizes": "did you mean `size`?",
    }


def test_a_list_with_a_faulty_item_is_not_called_empty():
    assert mistakes("described: {sides: [{number: x}]}").keys() == {"described.sides[0].number"}
    assert mistakes("described: {sides: []}").keys() == {"described.sides"}


def test_what_turns_out_later_is_reported_with_its_line_too():
    text = "first: {number: 1}\nparts:\n- {number: 2}\n"
    error = refusal(text, "file.yaml", [Mistake(location=("parts", 0, "number"), message="leads nowhere")])
    assert str(error) == "file.yaml: 1 mistake\n  parts[0].number (line 3): leads nowhere"


@pytest.mark.parametrize("value", ["!!binary aGk=", "!!set {a, b}", "!!timestamp 2024-01-01"])
def test_a_value_that_is_no_plain_data_is_named_with_its_place(value):
    found = mistakes(f"first: {{number: 1}}\nparts:\n- {{number: 1, word: {value}}}")
    assert {place: mistake.line for place, mistake in found.items()} == {"parts[0].word": 3}


@pytest.mark.parametrize("value", [".nan", ".inf", "-.INF"])
def test_a_number_that_is_not_finite_is_a_number(value):
    """As YAML 1.2's core schema has it; so it is not taken for a word."""
    assert "first.word" in mistakes(f"first: {{number: 1, word: {value}}}")


def test_a_rule_between_sections_is_tried_although_another_section_is_wrong():
    found = mistakes("first: {number: 1}\nparts: [{number: 1}]\nnamed: 5")
    assert found["parts[0].number"].message == "is taken"
    assert "named" in found


@pytest.mark.parametrize("text", ["number: '1'", "number: 1.5", "number: true", "number: [1]", "number: null"])
def test_nothing_is_converted_to_the_wanted_type(text):
    assert "first.number" in mistakes(f"first: {{{text}}}")


@pytest.mark.parametrize("word", ["off", "no", "yes", "2024-01-01", "12:30", "010"])
def test_words_stay_words(word):
    """YAML 1.1 would read a boolean, a date and the number 750."""
    document = loads(f"first: {{number: 1, word: {word}}}", Document, "f")
    assert document.first is not None
    assert document.first.word == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1",
        "just text",
        "a: [",
        "a: &x [*x]",
        "!!python/object:os.system {}",
        "a: !!int ''",
        "a: \x00",
        "a: !!bool b",
        "a: !!int b",
    ],
)
def test_what_is_no_mapping_is_a_mistake_of_the_document(text):
    with pytest.raises(DocumentError):
        loads(text, Document, "file.yaml")


def test_a_deeply_nested_document_is_refused():
    with pytest.raises(DocumentError, match="too deeply"):
        loads("a: " + "[" * 100_000, Document, "file.yaml")


def test_the_report_has_the_source_the_places_and_the_hints():
    with pytest.raises(DocumentError) as caught:
        loads("first: {number: 13}", Document, "file.yaml")
    assert str(caught.value) == ("file.yaml: 1 mistake\n  first.number (line 1): brings bad luck\n      hint: take 12")


def nested(first, line, count=12):
    """Lines that each name the line before, many times over."""
    names = itertools.pairwise(string.ascii_lowercase[: count + 1])
    later = (f"{name}: &{name} {line.replace('BEFORE', f'*{before}')}" for before, name in names)
    return "\n".join([f"a: &a {first}", *later])


@pytest.mark.parametrize(
    "text",
    [
        nested("[x, x, x]", f"[{', '.join(['BEFORE'] * 9)}]"),
        nested("{k: x}", f"{{{', '.join(['k: BEFORE'] * 9)}}}"),
        nested(f"[{'x' * 10_000}]", f"[{', '.join(['BEFORE'] * 9)}]", count=5),
        nested(f"{{? {'x' * 10_000} : 1}}", f"[{', '.join(['BEFORE'] * 9)}]", count=5),
    ],
    ids=["values", "keys that stand twice", "long values", "long keys"],
)
def test_a_few_lines_that_stand_for_more_than_memory_holds_are_refused(text):
    """Each line is nine times the line before."""
    with pytest.raises(DocumentError, match="too many values by aliases"):
        loads(text, Strict, "bomb.yaml")


_DOUBLING = ", ".join(["&a [x, x]", *(f"&{b} [*{a}, *{a}]" for a, b in itertools.pairwise(string.ascii_lowercase))])


@pytest.mark.parametrize("key", ["[a]", "{a: b}", f"[{_DOUBLING}]"], ids=["list", "mapping", "more than memory holds"])
def test_a_key_that_is_no_word_is_a_mistake_with_its_line(key):
    with pytest.raises(DocumentError) as caught:
        loads(f"first:\n  ? {key}\n  : 1", Strict, "f.yaml")
    assert [(mistake.message, mistake.line) for mistake in caught.value.mistakes] == [("a key must be a word", 2)]
