"""A configuration that a device shall run again: how its own lines are typed anew, and what separates it from another. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from app.core.commands import Command, Question, mask_secrets, replace_secrets, strip_noise
from app.core.cutoff import find_ended_routing
from app.core.echo import plain_line

#: What a secret is called that a device showed; two that are alike have one name.
_TAG = re.compile(r"<shown:\w+>")
#: VRP and Comware ask before a routing process goes. Unverified: the words; any that end so are answered.
_SURE = Question(r"/\[Y.N\]:?/", "Y", is_regexp=True)


def tag_secrets(text: str, digest: Callable[[str], str]) -> str:
    """Return the text with every secret replaced by a tag: alike where the secrets are, so that a changed one is a difference."""
    return replace_secrets(text, lambda secret: f"<shown:{digest(secret)}>")


def spoken_lines(family: str, text: str, digest: Callable[[str], str]) -> dict[str, str]:
    """Return every line with a secret as the device showed it, by what it looks like tagged: so it is typed again.

    A device takes the form that it shows itself (`password hash …`, `cipher …`), and nobody else knows its secret.
    """
    shown = ((tag_secrets(line, digest), line) for line in text.replace("\r", "").split("\n"))
    return {plain_line(family, tagged.strip()): line.strip() for tagged, line in shown if _TAG.search(tagged)}


def find_unspoken(commands: Iterable[Command], spoken: Mapping[str, str]) -> str:
    """Return the first command with a secret that nobody knows how to type, empty when there is none."""
    return next((command.text for command in commands if _TAG.search(command.text) and command.text not in spoken), "")


def without_tags(text: str) -> str:
    """Return a text with its tags as any other secret."""
    return _TAG.sub("<masked>", text)


def sure_of_ended_routing(family: str, commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return the commands with a yes to the question that VRP and Comware ask before a routing process goes.

    For the way back alone: the process that goes there is one that the change had just made, and nobody came in by it.
    """
    commands = tuple(commands)
    ended = find_ended_routing(family, commands)
    return tuple(
        Command(command.text, command.level, command.timeout_s, (*command.questions, _SURE)) if command.text in ended else command
        for command in commands
    )


def lines_in_force(family: str, before: str, now: str) -> tuple[str, ...]:
    """Return every line that a device runs now and did not run before (`+`), and that it runs no more (`-`), behind its section's.

    Secrets are masked. Empty where both say the same, in whatever order.
    """
    old, new = (tuple(_leaves(list(_paths(family, text)))) for text in (before, now))
    gone, came = (dict.fromkeys(path for path in one if path not in set(other)) for one, other in ((old, new), (new, old)))
    return tuple(f"{sign} {' / '.join(path)}" for sign, paths in (("-", gone), ("+", came)) for path in paths)


def _paths(family: str, text: str) -> Iterator[tuple[str, ...]]:
    """Yield every line behind the lines of the sections that it stands in, secrets masked."""
    above: list[tuple[int, str]] = []
    for line in mask_secrets(strip_noise(family, text)).splitlines():
        depth = len(line) - len(line.lstrip())
        while above and above[-1][0] >= depth:
            above.pop()
        above.append((depth, line.strip()))
        yield tuple(text for _, text in above)


def _leaves(paths: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield the lines that have none below them; an interface without any line says nothing."""
    for path, following in zip(paths, [*paths[1:], ()], strict=True):
        is_head = following[: len(path)] == path
        if not is_head and not (len(path) == 1 and path[0].startswith("interface ")):
            yield path
