"""The queue_log of a simulated switch: what its lines say of callers, held until somebody takes
them, or written to a file line by line as Asterisk does.
"""

import math
from pathlib import Path


class SwitchLog:
    """`path`: of a live log, which is appended to at each line. Times are UTC milliseconds."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lines: list[tuple[int, str, str]] = []  # when, whose, what

    def enters(self, at_ms: float, pbx: str, queue: str, caller: str) -> None:
        self._add(at_ms, pbx, queue, "NONE", "ENTERQUEUE", "", caller, 1)

    def rings_out(self, at_ms: float, pbx: str, queue: str, agent: str, ring_ms: int) -> None:
        self._add(at_ms, pbx, queue, agent, "RINGNOANSWER", ring_ms)

    def connects(
        self, at_ms: float, pbx: str, queue: str, agent: str, waited_s: int, ring_s: int
    ) -> None:
        self._add(at_ms, pbx, queue, agent, "CONNECT", waited_s, pbx, ring_s)

    def completes(
        self, at_ms: float, pbx: str, queue: str, agent: str, waited_s: int, talked_s: int,
        by_caller: bool,
    ) -> None:  # fmt: skip
        verb = "COMPLETECALLER" if by_caller else "COMPLETEAGENT"
        self._add(at_ms, pbx, queue, agent, verb, waited_s, talked_s, 1)

    def hangs_up(self, at_ms: float, pbx: str, queue: str) -> None:
        """A caller who did not wait any longer."""
        entered_s = int(pbx.partition(".")[0])
        waited = max(0, int(at_ms / 1000) - entered_s)
        self._add(at_ms, pbx, queue, "NONE", "ABANDON", 1, 1, waited)

    def lines(self, until_ms: float = math.inf) -> list[str]:
        """In the order of their times; only of calls that are over by then."""
        going = {pbx for at, pbx, _ in self._lines if at >= until_ms}
        return [line for _, pbx, line in sorted(self._lines, key=_time) if pbx not in going]

    def _add(
        self, at_ms: float, pbx: str, queue: str, agent: str, verb: str, *data: object
    ) -> None:
        line = "|".join(map(str, (int(at_ms / 1000), pbx, queue, agent, verb, *data)))
        if self._path is None:
            self._lines.append((int(at_ms / 1000) * 1000, pbx, line))
            return
        with self._path.open("a") as file:
            file.write(line + "\n")


def _time(line: tuple[int, str, str]) -> int:
    return line[0]
