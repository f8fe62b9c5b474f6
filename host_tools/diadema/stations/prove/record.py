"""The record of one station's figures, signed with the hub's key, so that it says later what was
measured and nothing else; and the figures in words, of the catalogue's area `prove`, for the
technician's screen and as the Markdown of `hardware/proof.md`.
"""

from datetime import UTC
from typing import Any

from msgspec import Struct
from rich import box
from rich.table import Table

from diadema.base import sanitize
from diadema.stations.prove.figures import TWICE, Figure, wrong
from diadema.stations.prove.run import Measurement
from diadema.stations.signing import (
    HubKey,
    fingerprint,
    is_signed,
    statement,
)
from diadema.wire.letters import LETTERS
from diadema.words import section, text
from diadema.words.formatting import local_time

_NAMES = LETTERS | {"steps": "told"}
_COLUMNS = ("figure", "value", "budget", "simulated", "ratio", "verdict")
_RIGHT = ("value", "budget", "simulated", "ratio")
_MEMORY = ("heap", "idf", "idf_largest", "idf_least")  # as `lib.chip` names them
_LIMIT = 60  # letters of what a station calls itself


class Proof(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, rename=_NAMES):
    """`steps`: what the station answered, step by step."""

    station: str
    seat: str | None
    board: str
    firmware: str
    micropython: str
    utc_ms: int
    by: str
    forged: int
    figures: list[Figure]
    steps: dict[str, dict[str, Any]]

    @property
    def right(self) -> bool:
        return not self.forged and not [*wrong(self.figures)]


class Signed(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`key`: the public one of who signed."""

    proof: Proof
    signature: str
    key: str


def proof_of(
    measured: Measurement, found: list[Figure], seat: str | None, *, forged: int, by: str, now: int
) -> Proof:
    about = measured.steps["about"]
    return Proof(
        station=measured.station,
        seat=seat,
        board=measured.board,
        firmware=str(about.get("firmware", "")),
        micropython=str(about.get("micropython", "")),
        utc_ms=now,
        by=by,
        forged=forged,
        figures=found,
        steps=measured.steps,
    )


def sign(proof: Proof, key: HubKey) -> Signed:
    return Signed(proof=proof, signature=key.sign(statement(proof=proof)), key=key.public)


def is_right(signed: Signed, public: str) -> bool:
    """Whether the hub with that public key signed just this."""
    return is_signed(statement(proof=signed.proof), signed.signature, public)


def table(found: list[Figure], language: str) -> Table:
    words = section("prove", language)
    made = Table(box=box.SIMPLE_HEAD)
    for name in _COLUMNS:
        made.add_column(
            words[f"column.{name}"],
            justify="right" if name in _RIGHT else "left",
            overflow="fold",
        )
    for figure in found:
        made.add_row(*_cells(figure, language))
    return made


def failures(found: list[Figure], language: str) -> list[str]:
    """A line for each figure that cannot stand: what it is and what is wrong with it."""
    return [f"{name(one, language)}: {verdict(one, language)}" for one in found]


def name(figure: Figure, language: str) -> str:
    return text(f"prove.figure.{figure.name}", language)


def verdict(figure: Figure, language: str) -> str:
    words = section("prove", language)
    if figure.verdict == "none":
        return words[f"none.{figure.why}"]
    return words[f"verdict.{figure.verdict}"].format(
        budget=_number(figure.budget, figure.unit), twice=TWICE, value=_number(figure.value, "")
    )


def markdown(signed: Signed, language: str = "en") -> str:
    """A heading and a table."""
    words, proof = section("prove", language), signed.proof
    day = local_time(proof.utc_ms, UTC, "day")
    head = words["markdown"].format(
        board=_plain(proof.board),
        s=proof.station,
        firmware=_plain(proof.firmware),
        micropython=_plain(proof.micropython),
        day=day,
        key=fingerprint(signed.key),
    )
    rows = [[words[f"column.{one}"] for one in _COLUMNS]]
    rows.append(["---:" if one in _RIGHT else "---" for one in _COLUMNS])
    rows += [_cells(one, language) for one in proof.figures]
    memory = [[words["column.step"], *(words[f"column.{one}"] for one in _MEMORY)]]
    memory.append(["---", *["---:"] * len(_MEMORY)])
    for step, said in proof.steps.items():
        held = said.get("memory")
        sizes = [held.get(one) if isinstance(held, dict) else None for one in _MEMORY]
        memory.append(
            [words.get(f"at.{step}", step), *(_number(_size(one), "B") for one in sizes)]
        )
    return f"{head}\n\n{_lines(rows)}\n{_lines(memory)}"


def _lines(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _size(said: object) -> int | None:
    return said if isinstance(said, int) else None


def _cells(figure: Figure, language: str) -> list[str]:
    ratio = ""
    if isinstance(figure.value, int | float) and figure.simulated:
        ratio = f"{figure.value / figure.simulated:.2f}"
    bound = (
        ""
        if figure.budget is None or isinstance(figure.budget, str)
        else ("≤ " if figure.most else "≥ ")
    )
    return [
        name(figure, language),
        _number(figure.value, figure.unit),
        bound + _number(figure.budget, figure.unit) if figure.budget is not None else "",
        _number(figure.simulated, figure.unit) if figure.simulated is not None else "",
        ratio,
        verdict(figure, language),
    ]


def _number(value: float | int | str | None, unit: str) -> str:
    if value is None:
        return "—"
    if isinstance(value, str):
        return _plain(value)
    number = f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:.3g}"
    return f"{number.replace(',', ' ')} {unit}".strip()


def _plain(said: str) -> str:
    """What a station says of itself, harmless in a terminal and in a table."""
    return sanitize.visible(said[:_LIMIT]).replace("|", "¦").replace("`", "'")
