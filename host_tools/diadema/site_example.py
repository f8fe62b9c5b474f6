"""A site's description that people copy and change; `diadema site example` prints it.

Everybody in it is invented, and its badges and stations are no real ones.
"""

EXAMPLE = """\
{
  "site": "Centro de ejemplo",
  "zone": "America/Lima",
  "language": "es",
  "ring_limit_s": 20,
  "wrapup_limit_s": 60,
  "stations": [
    {"id": "DIA-000000000001", "seat": "A-01"},
    {"id": "DIA-000000000002", "seat": "A-02"}
  ],
  "agents": [
    {
      "id": "e001",
      "name": "Ejemplo Uno Inventado",
      "short": "UNO E.",
      "alias": "E1",
      "team": "Mañana",
      "badges": ["iso14443a:00000000000001"]
    },
    {
      "id": "e002",
      "name": "Ejemplo Dos Inventada",
      "short": "DOS E.",
      "alias": "E2",
      "team": "Tarde",
      "badges": ["iso14443a:00000000000002"]
    }
  ],
  "reasons": [
    {"code": "refrigerio", "label": "Refrigerio"},
    {"code": "sshh", "label": "SS. HH.", "private": true},
    {"code": "capacitacion", "label": "Capacitación"},
    {"code": "reunion", "label": "Reunión"}
  ],
  "tree": {
    "version": 1,
    "nodes": [
      ["1", "Consulta", [
        ["11", "Saldo", [["111", "Ahorros"], ["112", "CTS"]]],
        ["12", "Tarjetas", [["121", "Entrega"], ["122", "Bloqueo"]]]
      ]],
      ["2", "Reclamo", [
        ["21", "Cobro", [["211", "Doble cobro"], ["212", "Comisión"]]]
      ]]
    ]
  }
}"""
