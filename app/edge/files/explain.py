"""Turn Pydantic's verdicts into findings with file:line, expected against found, and a next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from app.core.references import nearest
from app.edge.files.marked import UNREADABLE, Marked
from app.edge.files.tables import Row
from app.edge.files.texts import Report
from app.errors import Finding

M = TypeVar("M", bound=BaseModel)

#: First words of an error type of Pydantic → what was expected, with the error's context filled in.
_EXPECTED = {
    "int_": "a whole number",
    "float_": "a number",
    "finite_number": "a finite number",
    "bool_": "yes or no",
    "date_": "a date such as 2008-06-30",
    "string_type": "text",
    "string_too_short": "text",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "literal_error": "{expected}",
    "greater_than_equal": "a number from {ge} up",
    "greater_than": "a number above {gt}",
    "less_than_equal": "a number up to {le}",
    "less_than": "a number below {lt}",
    "too_short": "at least {min_length} of them",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "ip_v4_network": "an IPv4 prefix such as 59.225.0.0/20",
}


def wanted(expected: str, *, what: str = "has a bad value", next_step: str = "") -> PydanticCustomError:
    """Return the error that a validator raises to say what it wanted, and where it knows better words, the other parts."""
    return PydanticCustomError("wanted", "{expected}", {"expected": expected, "what": what, "next_step": next_step})


def parse_block(model: type[M], block: Marked, report: Report, *, called: str, known: Mapping[str, object] | None = None) -> M | None:
    """Parse one block of YAML; None where it is wrong, which is reported key by key. `called` names the block in findings."""
    return _parse(model, block.values | dict(known or {}), report, called, lambda path: block.where(path))


def parse_row(model: type[M], row: Row, report: Report, *, called: str) -> M | None:
    """Parse one row of a table; None where it is wrong, which is reported cell by cell."""
    return _parse(model, row.cells, report, called, lambda path: row.where)


def _parse(
    model: type[M], values: Mapping[str, object], report: Report, called: str, where: Callable[[tuple[str | int, ...]], str]
) -> M | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["input"] is not UNREADABLE:
                report(_explain(detail, model, called, where(detail["loc"])))
        return None


def _explain(detail: ErrorDetails, model: type[BaseModel], called: str, where: str) -> Finding:
    path = ".".join(map(str, detail["loc"]))
    kind = detail["type"]
    if kind == "missing":
        return Finding(where, f"{called}: `{path}` is missing", "a value", "none", f"Give `{path}` a value.")
    if kind == "extra_forbidden":
        keys = _keys_beside(model, detail["loc"])
        step = nearest(str(detail["loc"][-1]), keys, "Remove it.")
        return Finding(where, f"{called}: unknown key `{path}`", f"one of {', '.join(keys)}", f"`{path}`", step)
    if detail["loc"][-1:] == ("[key]",):
        path = path.removesuffix(".[key]")
        return Finding(where, f"{called}: unknown key `{path}`", _expected(detail), f"`{detail['input']}`", "Correct or remove it.")
    context = detail.get("ctx", {})
    what = f"{called}: `{path}` {context.get('what', 'has a bad value')}"
    return Finding(where, what, _expected(detail), _found(detail["input"]), context.get("next_step") or f"Mend `{path}`.")


def _expected(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "wanted":
        return str(context["expected"])
    words = next((words for start, words in _EXPECTED.items() if detail["type"].startswith(start)), None)
    return detail["msg"] if words is None else words.format(**context)


def _found(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_found(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "an empty list"
    return str(value)


def _keys_beside(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the model knows where `path` ends."""
    known = model
    for key in path[:-1]:
        field = known.model_fields.get(str(key))
        known = (_model_in(field.annotation) if field is not None else None) or known
    return [field.alias or name for name, field in known.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model that an annotation such as `dict[str, Model]` or `Model | None` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)
