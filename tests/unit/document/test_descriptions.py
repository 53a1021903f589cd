"""The words beside a field are found when they are asked for, wherever its class stands."""

from pydantic import Field

from extauthz.document.descriptions import descriptions
from extauthz.document.strict import Strict


class Circle(Strict):
    """A part."""

    radius: int = 1
    """In metres,
    from its middle."""
    colour: str = ""
    filled: bool = False
    """Whether it is."""

    def area(self) -> float:
        """Not a field."""
        return 3.14 * self.radius**2

    class Inner(Strict):
        depth: int = 1
        """How deep."""


class Ring(Circle):
    filled: bool = True
    width: int = Field(default=1, description="of the ring")
    """Not this."""


def test_a_field_has_the_words_that_stand_below_it():
    assert descriptions(Circle) == {"radius": "In metres,\nfrom its middle.", "filled": "Whether it is."}


def test_an_inherited_field_keeps_its_words_and_one_that_is_declared_anew_does_not():
    assert descriptions(Ring) == {"radius": "In metres,\nfrom its middle.", "width": "of the ring"}


def test_classes_within_others_are_found_too():
    class Local(Strict):
        size: int = 1
        """Of here."""

    assert descriptions(Circle.Inner) == {"depth": "How deep."}
    assert descriptions(Local) == {"size": "Of here."}


def test_without_its_source_a_class_is_not_described():
    made: dict[str, type[Strict]] = {"Strict": Strict}
    exec("class Made(Strict):\n    size: int = 1\n    'Of nowhere.'", made)  # noqa: S102 - a class without a file
    made["Made"].__module__ = "builtins"
    assert descriptions(made["Made"]) == {}


def test_a_json_schema_has_the_words():
    properties = Ring.model_json_schema()["properties"]
    assert {name: words.get("description") for name, words in properties.items()} == {
        "radius": "In metres,\nfrom its middle.",
        "colour": None,
        "filled": None,
        "width": "of the ring",
    }
