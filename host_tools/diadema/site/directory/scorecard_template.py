"""A scorecard to begin with: the protocol, what was done, and the four attitudes that an agent's
profile asks for (to listen, to treat well, self-control, responsibility).
"""

from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.scorecards import PARTS
from diadema.site.directory.tables import Change
from diadema.words import section

_ATTITUDE: Body = {"weight": 10, "scale": "0_2", "comment": "below_full"}
_SECTIONS: dict[str, dict[str, Body]] = {  # their items, by code
    "protocolo": {
        "saludo": {"weight": 5, "step": "greeting"},
        "cierre": {"weight": 5, "step": "closing"},
    },
    "gestion": {
        "necesidad": {"weight": 5, "step": "need"},
        "informacion": {
            "weight": 15, "step": "information", "kind": "user", "comment": "below_full",
        },
        "procedimiento": {"weight": 10, "kind": "business", "na": True, "comment": "below_full"},
        "dudas": {"weight": 5, "step": "doubts"},
        "tipificacion": {"weight": 5, "checks": "disposition"},
    },
    "actitudes": dict.fromkeys(("escucha", "trato", "dominio", "responsabilidad"), _ATTITUDE),
    "cumplimiento": {
        "identidad": {
            "weight": 5, "step": "identity", "kind": "compliance", "na": True,
            "auto_fail": "evaluation", "comment": "below_full",
        },
        "grabacion": {
            "weight": 5, "kind": "compliance", "na": True, "checks": "recording_notice",
        },
    },
}  # fmt: skip


def template(code: str, language: str) -> list[Change]:
    """What adds it under a code that is not used yet."""
    words = section("people", language)
    name = words["template.name"]
    changes = [_added("scorecards", {"code": code, "name": name})]
    for at, (part, items) in enumerate(_SECTIONS.items(), 1):
        its: Body = {"scorecard": code, "code": part, "order": at}
        changes.append(_added(PARTS[0], its | {"name": words[f"template.section.{part}"]}))
        for place, (item, fields) in enumerate(items.items(), 1):
            body: Body = {
                "scorecard": code,
                "code": item,
                "section": part,
                "text": words[f"template.item.{item}"],
                "guide": words[f"template.guide.{item}"],
                "order": place,
            }
            changes.append(_added(PARTS[1], body | fields))
    return changes


def _added(name: str, given: Body) -> Change:
    kind = KINDS[name]
    body = kind.read(given)
    return Change(kind=name, code=kind.code(body), body=body, seen=0)
