"""Scorecards as tests make them: an item is its kind, weight, scale and what its error fails."""

from dataclasses import dataclass, field


@dataclass
class Item:
    code: str
    section: str = "s"
    kind: str = "normal"
    weight: int = 10
    scale: str = "yes_no"
    na: bool = True
    auto_fail: str = "none"


@dataclass
class Scorecard:
    items: list[Item] = field(default_factory=list)
    code: str = "P1"


def scorecard(*items, code="P1"):
    """Each item by what differs from an ordinary one."""
    return Scorecard([Item(**({"code": f"i{n}"} | its)) for n, its in enumerate(items)], code)
