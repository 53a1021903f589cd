"""Checked documents back to plain data, as somebody would write them."""

from enum import Enum
from typing import Any

from extauthz.document.strict import Strict


def plain(value: Any) -> Any:
    """Plain data that is checked to the same document: without what is as it is by default, and sets in order."""
    if isinstance(value, Strict):
        return {name: plain(item) for name, item in _given(value).items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def _given(document: Strict) -> dict[str, Any]:
    values = {name: (field, getattr(document, name)) for name, field in type(document).model_fields.items()}
    return {
        name: value
        for name, (field, value) in values.items()
        if field.is_required() or value != field.get_default(call_default_factory=True, validated_data={})
    }
