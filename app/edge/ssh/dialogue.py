"""Lines to a device and its answers. Whatever goes wrong ends as one of our errors, within a known time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address

from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoBaseException
from paramiko.ssh_exception import SSHException  # type: ignore[import-untyped]  # paramiko ships no types

from app.core.commands import Command, mask_secrets
from app.core.cutoff import in_one_write, runs
from app.core.dialects import DIALECTS, find_question
from app.edge.ssh.access import Access, Target
from app.errors import CommitRefused, DeviceError

#: What netmiko and paramiko raise where a session is over or an answer does not come.
LOST = (EOFError, OSError, SSHException, NetmikoBaseException, ValueError)
#: Ctrl-C.
INTERRUPT = "\x03"
_PROMPT = r"[#>\]]\s*$"


class Dialogue:
    """One login's channel, opened to `address`. `nothing_stays`: whether a line that is refused leaves those before it without effect."""

    def __init__(self, target: Target, address: IPv4Address, driver: BaseConnection, access: Access) -> None:
        self._target, self._address, self._driver, self._access = target, address, driver, access
        self._dialect = DIALECTS[target.family]
        self._lost, self.nothing_stays = False, bool(self._dialect.discard)

    def ask(self, line: str, what: str) -> str:
        """Return the answer to a line that changes nothing, whatever it says.

        Raises:
            DeviceError: the session was lost, or no answer came in time.
        """
        return self.attempt(lambda: self._driver.send_command(line, expect_string=self._find_prompt()), what).replace("\r", "")

    def told(self, line: str, what: str, kind: type[DeviceError] = DeviceError) -> str:
        """Ask, and take no refusal for an answer.

        Raises:
            DeviceError: the session was lost, or no answer came in time; `kind` of it where the device refused.
        """
        text = self.ask(line, what)
        if refusals := re.findall(self._dialect.refusal, text, re.MULTILINE):
            raise self.error(kind, f"{what} ({line})", "an answer", mask_secrets(refusals[0]).strip()[:200])
        return text

    def interrupted(self, line: str, after_s: float, what: str) -> str:
        """Return what a line that never ends by itself had said when it was stopped.

        Raises:
            DeviceError: the session was lost, or no prompt came in time.
        """

        def run() -> str:
            self._driver.write_channel(f"{line}\n")
            time.sleep(after_s)
            self._driver.write_channel(INTERRUPT)
            return self._driver.read_until_prompt(read_timeout=self._access.limits.read_s)

        return self.attempt(run, what)

    def awaited(self, line: str, timeout_s: float, what: str) -> str:
        """Return the answer to a line that takes its time, `timeout_s` at the most.

        Raises:
            DeviceError: the session was lost, or no answer came in time.
        """
        return self.attempt(lambda: self._driver.send_command(line, read_timeout=timeout_s), what, timeout_s)

    def resolved(self, commands: Iterable[Command], spoken: Mapping[str, str]) -> list[tuple[Command, str]]:
        """Return each command with the text that the device is given, secrets in it: the one in `spoken`, else its own, resolved.

        Raises:
            InputError: a secret that a command refers to is not set.
        """
        return [(command, spoken.get(command.text) or self._access.resolve(command.text)) for command in commands]

    def enter(self) -> None:
        """Enter configuration mode.

        Raises:
            DeviceError: the session was lost, or no prompt came in time.
        """
        self.attempt(self._driver.config_mode, "enter configuration mode")

    def enters(self, line: str) -> bool:
        """Open configuration mode by a line of our own; tell whether the device did.

        Raises:
            DeviceError: the session was lost, or no prompt came in time.
        """
        answer = self.attempt(lambda: self._driver.send_command(line, expect_string=r"[>#\]]\s*$"), f"enter configuration mode ({line})")
        return not re.search(self._dialect.refusal, answer.replace("\r", ""), re.MULTILINE)

    def leave(self) -> None:
        """Leave configuration mode.

        Raises:
            DeviceError: the session was lost, or no prompt came in time.
        """
        self.attempt(self._driver.exit_config_mode, "leave configuration mode")

    def give_all(self, lines: Sequence[tuple[Command, str]], commit: str) -> None:
        """Give the lines and make them live where the family gathers them; a refused line then leaves nothing behind.

        A line may open a view that nothing of the patch stands in (`mpls`): it is left before the next line is typed.

        Raises:
            CommitRefused: the device refused a line.
            DeviceError: the session was lost after some of the lines.
        """
        view, together = "", self._swaps(lines)
        try:
            for number, (command, line) in enumerate(lines, start=1):
                if (end := together.get(number)) is not None:
                    view = self._give_together(lines[number - 1 : end], f"lines {number} to {end} of {len(lines)}")
                if any(first <= number <= last for first, last in together.items()):
                    continue
                shown = self.give(command, line, f"line {number} of {len(lines)}")
                below = number < len(lines) and lines[number][0].level > command.level
                if self._dialect.leave and not below and _opened_view(command, view, shown):
                    shown = self.give(Command(self._dialect.leave), self._dialect.leave, f"line {number}: leave its view")
                view = shown
            if commit:
                self.give(Command(commit), commit, "make the lines live")
        except CommitRefused:
            if self._dialect.discard:
                with suppress(DeviceError):  # what is not committed goes with the session; the refusal is what has to be told
                    self.give(Command(self._dialect.discard), self._dialect.discard, "drop the lines")
            raise

    def give(self, command: Command, line: str, where: str) -> str:
        """Send one line and return the view that the device is in then, as its prompt names it.

        The resolved text stays in here: messages show the command with its reference.

        Raises:
            CommitRefused: the device refused the line.
            DeviceError: the session was lost, or no prompt came in time.
        """
        what = f"{where}, {command.text!r}"
        answer = self.attempt(lambda: self._type(command, line), what, command.timeout_s)
        return self._accepted(answer, what, [(command, line)])

    def _swaps(self, lines: Sequence[tuple[Command, str]]) -> dict[int, int]:
        """Return where lines begin (from 1) that must be given in one write, and where they end; none where they gather for a commit."""
        found: dict[int, int] = {}
        number = 1
        for run in runs(self._target.family, (command for command, _ in lines)):
            if not self._dialect.commit and in_one_write(run, self._address):
                found[number] = number + len(run) - 1
            number += len(run)
        return found

    def _give_together(self, lines: Sequence[tuple[Command, str]], where: str) -> str:
        """Send lines in one write, so that the device has the last before the first takes this session's address away."""
        last, prompt = lines[-1][1], re.escape(self._driver.base_prompt[:16]) + r"\S*[>\]#]\s*$"

        def run() -> str:
            self._driver.write_channel("".join(f"{line}\n" for _, line in lines))
            return str(self._driver.read_until_pattern(rf"{re.escape(last)}\s[\s\S]*{prompt}"))

        what = f"{where}, {lines[0][0].text!r} …"
        return self._accepted(self.attempt(run, what), what, lines)

    def _accepted(self, answer: str, what: str, lines: Sequence[tuple[Command, str]]) -> str:
        """Return the view that the device names at the end of its answer. Raises CommitRefused for a refusal in it."""
        refusals = re.findall(self._dialect.refusal, answer.replace("\r", ""), re.MULTILINE)
        if refusals:
            found = "; ".join(refusal.strip() for refusal in refusals)
            for command, line in lines:
                found = found.replace(line, command.text)
            found = mask_secrets(found)
            step = "Nothing stays in force." if self.nothing_stays else "The lines before it are in force."
            raise self.error(CommitRefused, what, "acceptance", found, step)
        return answer.strip().rpartition("\n")[2].strip("[]~* \r")

    def save(self, what: str) -> str:
        """Save as the family does, and return what the device said.

        Raises:
            DeviceError: the session was lost, or no answer came in time.
        """
        return self.ask(self._dialect.save, what) if self._dialect.save else self.attempt(self._driver.save_config, what)

    def close(self) -> None:
        """End the session; a device that is gone already is no error, and is not waited for again."""
        if self._lost:
            self._driver.paramiko_cleanup()
            return
        try:
            self._driver.disconnect()
        except LOST:
            return

    def attempt(self, call: Callable[[], object], what: str, timeout_s: float | None = None) -> str:
        """Return what a call of the driver answers; `timeout_s` for one read, `read_s` of the limits without it.

        Raises:
            DeviceError: the session was lost, or no answer came in time.
        """
        self._driver.read_timeout_override = timeout_s or self._access.limits.read_s
        try:
            return str(call())
        except LOST as error:
            self._lost = True
            found = self._silence() if "imeout" in type(error).__name__ else "the session was lost"
            raise self.error(DeviceError, what, "an answer", found, "Look at the device, then run waiwang diff.") from None

    def _silence(self) -> str:
        """Return how a device keeps us waiting: by silence, or by a question that nobody here answers unseen."""
        question = find_question(str(getattr(self._driver.channel, "unfinished", "")))
        found = "no answer in time"
        return f"{found}, but a question that nobody answers unseen: {mask_secrets(question)!r}" if question else found

    def error(self, kind: type[DeviceError], what: str, expected: str, found: str, step: str = "Look at the device.") -> DeviceError:
        """Return an error of this device, to be raised."""
        return kind(self._target.device, what, expected=expected, found=found, next_step=step)

    def _type(self, command: Command, line: str) -> str:
        """Send one line and read to the prompt, answering on the way the questions that the command allows, each once."""
        if not command.questions:
            return str(self._driver.send_config_set([line], enter_config_mode=False, exit_config_mode=False))
        prompt = re.escape(self._driver.base_prompt[:16]) + r"\S*[>\]#]\s*$"
        texts = {question.text if question.is_regexp else re.escape(question.text): question.answer for question in command.questions}
        self._driver.write_channel(f"{line}\n")
        answer = ""
        for _ in range(len(texts) + 1):
            answer += self._driver.read_until_pattern(pattern="|".join((prompt, *(text.strip("/") for text in texts))), re_flags=re.M)
            asked = next((given for text, given in texts.items() if re.search(rf"(?:{text.strip('/')})\s*$", answer)), None)
            if asked is None:
                break
            self._driver.write_channel(f"{asked}\n")
        return answer

    def _find_prompt(self) -> str:
        """Return the present prompt as a pattern; a push may have renamed the device. netmiko's own search takes 35 s to give up."""
        self._driver.clear_buffer()
        self._driver.write_channel("\n")
        shown = str(self._driver.read_until_pattern(_PROMPT, read_timeout=self._access.limits.read_s))
        return re.escape(shown.splitlines()[-1].strip())


def _opened_view(command: Command, before: str, after: str) -> bool:
    """Tell by the names of two prompts whether the command led into a view beneath the one before."""
    renames = command.text.startswith(("sysname ", "hostname "))
    return bool(before) and not renames and after.startswith(f"{before}-")
