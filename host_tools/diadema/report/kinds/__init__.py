"""The kinds of report there are, and the right that each one needs."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from diadema.access.roles import Right

type Kind = Literal[
    "intradia", "llamadas", "tmo", "adherencia", "servicio", "tipificacion", "protocolo",
    "consolidado", "asistencia", "supervision",
]  # fmt: skip
RIGHTS: dict[str, "Right"] = {
    "intradia": "figures",
    "llamadas": "figures",
    "tmo": "figures",
    "adherencia": "figures",
    "servicio": "figures",
    "tipificacion": "figures",
    "protocolo": "figures",
    "consolidado": "figures",
    "asistencia": "attendance",
    "supervision": "register",
}
KINDS = tuple(RIGHTS)
