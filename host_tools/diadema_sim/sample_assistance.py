"""Who helps and who mends at the demo's centre: its accounts, what its directory says of help, of
faults and of tools, and what happens with them in its past.
"""

from dataclasses import dataclass
from typing import Any

from diadema.access import Accounts
from diadema.access.roles import Person, Role
from diadema.site.directory.kinds import Body

from diadema_sim.people import Rows, coded


@dataclass(frozen=True)
class Colleague:
    """Somebody of the pages, by account."""

    account: str
    name: str
    role: Role

    @property
    def signed(self) -> dict[str, str]:
        """As what they do is signed."""
        return {"by": self.account, "who": self.name}


CHIEF = Colleague("npalta", "Nelly Palta", "supervisor")
MONITOR = Colleague("mcaigua", "Máximo Caigua", "monitor")
OTHER_MONITOR = Colleague("oguaba", "Olga Guaba", "monitor")
LEAD = Colleague("ipacae", "Inés Pacae", "quality_lead")
TECHNICIAN = Colleague("tsauco", "Tula Saúco", "technician")
_SYSTEMS = Colleague("sistemas", "Mesa de Sistemas", "area")
_CLIENT = Colleague("mandante", "Enlace del mandante", "area")
COLLEAGUES = (CHIEF, MONITOR, OTHER_MONITOR, LEAD, TECHNICIAN, _SYSTEMS, _CLIENT)
HELPERS = (CHIEF, CHIEF, MONITOR)  # of the past, as often as they helped

FAULT_AREAS: Rows = [
    {
        "code": "sistemas",
        "label": "Sistemas",
        "parts": coded(crm="CRM", usuario="Usuario", vpn="VPN", correo="Correo", pc="Computadora"),
    },
    {
        "code": "infraestructura",
        "label": "Infraestructura",
        "parts": coded(diadema="Diadema", red="Punto de red", silla="Silla", luz="Luz"),
    },
    {
        "code": "proveedor",
        "label": "Proveedor",
        "external": True,
        "parts": coded(internet="Internet", telefonia="Telefonía"),
    },
    {
        "code": "mandante",
        "label": "Mandante",
        "external": True,
        "parts": coded(core="Core del banco", web="Banca web"),
    },
]
ALONE, EVERYWHERE = ("infraestructura", "diadema"), ("mandante", "core")  # faults, area and part

TOOLS: Rows = [
    {"campaign": "atencion", **tool}
    for tool in coded(
        crm="CRM", usuario="Usuario vigente", vpn="VPN", correo="Correo",
        instructivos="Instructivos", diadema="Diadema",
    )
]  # fmt: skip

CATALOGUES = {"fault_areas": FAULT_AREAS, "tools": TOOLS}  # of the site, in place of the usual

NEW: tuple[tuple[str, Body], ...] = (
    ("helpers", {"account": CHIEF.account}),
    (
        "helpers",
        {
            "account": MONITOR.account,
            "topics": ["procedimiento", "sistema", "usuario_dificil"],
            "start": "08:00",
            "end": "22:00",
            "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
        },
    ),
    ("help_results", {"code": "resuelta", "label": "Resuelta", "order": 1}),
    ("help_results", {"code": "parcial", "label": "Parcial", "order": 2}),
    ("help_results", {"code": "derivada", "label": "Derivada", "order": 3}),
    ("help_results", {"code": "no_procedia", "label": "No procedía", "order": 4}),
    ("fault_targets", {"severity": 1, "accept_min": 5, "solve_min": 60}),
    ("fault_targets", {"severity": 2, "accept_min": 10, "solve_min": 90}),
    ("fault_targets", {"severity": 3, "accept_min": 15, "solve_min": 120}),
    (
        "fault_targets",
        {"severity": 2, "area": "mandante", "accept_min": 15, "solve_min": 240},
    ),
    ("targets", {"metric": "help_wait_s", "value": 30}),
)
MORE: tuple[tuple[str, str, Body], ...] = (  # kind, code, what an entry of the site has besides
    ("help_topics", "autorizacion", {"escalate_s": 20, "alert_s": 60}),
    ("help_topics", "otro", {"escalate_s": 120, "alert_s": 300}),
    ("fault_areas", "sistemas", {"accounts": [_SYSTEMS.account]}),
    ("fault_areas", "mandante", {"accounts": [_CLIENT.account]}),
    ("tools", "atencion/crm", {"vital": True}),
    ("playbooks", "1", {"owner": CHIEF.account}),
    ("playbooks", "2", {"owner": MONITOR.account}),
    ("playbooks", "3", {"owner": MONITOR.account}),
)

# what came of the calls for help of the past, and what their playbooks lacked
RESULTS = (*["resuelta"] * 6, "parcial", "derivada", "no_procedia")
GAPS = (
    ("missing", "El plazo del abono no figura; son tres días útiles."),
    ("missing", "Falta el caso de la cuenta mancomunada."),
    ("unclear", "No dice si el bloqueo es temporal; depende del canal."),
    ("wrong", "El paso 4 manda a una opción que ya no existe en el CRM."),
)
MENDED = {  # the faults of the past: why, and what was done
    EVERYWHERE: ("Core del mandante saturado", "El mandante amplió su capacidad"),
    ALONE: ("Cable dañado", "Se cambió la diadema"),
    ("sistemas", "crm"): ("Sesión colgada", "Se reinició el CRM"),
    ("sistemas", "vpn"): ("Certificado vencido", "Se renovó el certificado"),
    ("sistemas", "usuario"): ("Clave vencida", "Se restableció la clave"),
    ("infraestructura", "red"): ("Conector flojo", "Se cambió el conector"),
    ("proveedor", "internet"): ("Enlace principal caído", "Se pasó al enlace de respaldo"),
}
REJECTED = "Era la configuración del navegador; no es una falla."


def what(area: str, part: str) -> str:
    """As people say it."""
    row = _area(area)
    label = next(one["label"] for one in row["parts"] if one["code"] == part)
    return f"{row['label']}: {label}"


def is_external(area: str) -> bool:
    """Outside of the centre."""
    return bool(_area(area).get("external"))


def _area(code: str) -> dict[str, Any]:
    return next(row for row in FAULT_AREAS if row["code"] == code)


def hire(accounts: Accounts, password: str) -> None:
    """With that password, also those who are there."""
    known = {one.id for one in accounts.book.all()}
    me = Person(id="sim", name="", role="service")
    for one in COLLEAGUES:
        if one.account in known:
            accounts.book.set_password(me, one.account, password)
        else:
            accounts.book.add(me, one.account, one.name, one.role, password=password)
