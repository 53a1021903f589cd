"""What the keys of a document are for: the words beside the attributes of its classes, read when they are asked for."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel


def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """The words of each field that has any.

    From the source of the class, which few processes ever need: a mistake is to be explained, or a schema printed.
    Pydantic's `use_attribute_docstrings` reads it wherever a class is made, a quarter of a second in all.
    """
    words: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel):
            own = _attributes(each.__module__).get(each.__qualname__, {})
            # What a class declares anew is described by it alone.
            words = {name: text for name, text in words.items() if name not in each.__annotations__} | dict(own)
    said = {name: field.description or words.get(name) for name, field in model.model_fields.items()}
    return {name: text for name, text in said.items() if text}


@cache
def _attributes(module: str) -> Mapping[str, Mapping[str, str]]:
    """The documented attributes of a module's classes, by the qualified names of these."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):  # without its source, nothing is described
        return {}
    return {name: dict(_documented(node)) for name, node in _classes(tree, "")}


def _classes(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from _classes(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(node, f"{prefix}{node.name}.<locals>.")


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """PEP 257: a string behind an attribute is its docstring."""
    for attribute, words in zip(node.body, node.body[1:], strict=False):
        match attribute, words:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                yield name, inspect.cleandoc(text)
