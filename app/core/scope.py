"""Which lines and units a duty of the order reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

#: Where a unit stands in the tree, from the root down.
LevelName = Literal["city", "county", "township"]
LEVELS: tuple[LevelName, ...] = get_args(LevelName)


@dataclass(frozen=True, slots=True)
class Scope:
    """A cohort of lines or units: levels of the tree, kinds of unit, classes of line. Empty means: any."""

    levels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


ANYTHING = Scope()


def covers(scope: Scope, class_id: str, level: str, kind: str) -> bool:
    """Tell whether a line of this class, to a unit of this level and kind, belongs to the cohort."""
    return (
        (not scope.levels or level in scope.levels)
        and (not scope.kinds or kind in scope.kinds)
        and (not scope.classes or class_id in scope.classes)
    )


def covers_unit(scope: Scope, level: str, kind: str) -> bool:
    """Tell whether a unit of this level and kind belongs to the cohort, whatever line it has."""
    return (not scope.levels or level in scope.levels) and (not scope.kinds or kind in scope.kinds)
