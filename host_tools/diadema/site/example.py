"""A site's description that people copy and change; `diadema site example` prints it.

Everybody in it is invented, and its badges and stations are no real ones. No PIN fits the verifier
in it: `diadema pin e001` makes another.
"""

EXAMPLE = """\
{
  "site": "Centro de ejemplo",
  "zone": "America/Lima",
  "language": "es",
  "ring_limit_s": 20,
  "wrapup_limit_s": 60,
  "pin": "none",
  "multi_login": "move",
  "selftest": true,
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
      "badges": ["iso14443a:00000000000001"],
      "pin": "0000000000000000:00000000000000000000000000000000",
      "code": "1121"
    },
    {
      "id": "e002",
      "name": "Ejemplo Dos Inventada",
      "short": "DOS E.",
      "alias": "E2",
      "team": "Tarde",
      "badges": ["iso14443a:00000000000002"],
      "day_badges": [{"badge": "iso14443a:000000000000F1", "day": "2026-12-01"}]
    }
  ],
  "reasons": [
    {"code": "refrigerio", "label": "Refrigerio", "limit_s": 2700},
    {"code": "break", "label": "Break", "paid": true, "limit_s": 900},
    {"code": "sshh", "label": "SS. HH.", "private": true, "paid": true},
    {"code": "pausa_activa", "label": "Pausa activa", "paid": true, "limit_s": 600},
    {"code": "topico", "label": "Tópico", "private": true, "paid": true},
    {"code": "lactancia", "label": "Lactancia", "private": true, "paid": true},
    {"code": "capacitacion", "label": "Capacitación", "paid": true, "productive": true},
    {"code": "retroalimentacion", "label": "Retroalimentac.", "paid": true, "productive": true},
    {"code": "reunion", "label": "Reunión", "paid": true, "productive": true},
    {"code": "back_office", "label": "Back office", "paid": true, "productive": true}
  ],
  "areas": [
    {"code": "reclamos", "label": "Reclamos", "consulted": true},
    {"code": "tarjetas", "label": "Tarjetas"},
    {"code": "supervision", "label": "Supervisión", "consulted": true}
  ],
  "help_topics": [
    {"code": "procedimiento", "label": "Procedimiento"},
    {"code": "sistema", "label": "Sistema"},
    {"code": "usuario_dificil", "label": "Usuario difícil"},
    {"code": "autorizacion", "label": "Autorización"}
  ],
  "fault_areas": [
    {"code": "audio", "label": "Audio", "parts": [
      {"code": "no_oigo", "label": "No oigo"},
      {"code": "no_me_oyen", "label": "No me oyen"},
      {"code": "ruido", "label": "Ruido"}
    ]},
    {"code": "pc", "label": "Computadora", "parts": [
      {"code": "pantalla", "label": "Pantalla"},
      {"code": "teclado", "label": "Teclado o ratón"}
    ]},
    {"code": "aplicativo", "label": "Aplicativo", "parts": [
      {"code": "no_abre", "label": "No abre"},
      {"code": "lento", "label": "Lento"}
    ]},
    {"code": "mobiliario", "label": "Silla o mesa"}
  ],
  "campaigns": [
    {
      "code": "atencion",
      "label": "Atención",
      "steps": [
        {"step": "greeting", "automatic": true},
        {"step": "identity"},
        {"step": "need"},
        {"step": "information"},
        {"step": "doubts"},
        {"step": "closing", "automatic": true}
      ]
    },
    {
      "code": "cobranza",
      "label": "Cobranza",
      "steps": [
        {"step": "greeting", "automatic": true},
        {"step": "identity"},
        {"step": "information"},
        {"step": "closing"}
      ],
      "outbound": {
        "from": "08:00",
        "to": "20:00",
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "holidays": false
      },
      "consent": false
    },
    {
      "code": "ventas",
      "label": "Ventas",
      "steps": [{"step": "greeting"}, {"step": "need"}, {"step": "closing"}],
      "outbound": {
        "from": "09:00",
        "to": "18:00",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat"]
      },
      "consent": true
    }
  ],
  "tools": [
    {"campaign": "atencion", "code": "crm", "label": "CRM abre"},
    {"campaign": "atencion", "code": "usuario", "label": "Usuario vigente"},
    {"campaign": "cobranza", "code": "vpn", "label": "VPN conectada"}
  ],
  "holidays": ["2026-12-08", "2026-12-09", "2026-12-25", "2027-01-01"],
  "identity_methods": [
    {"code": "dni_fecha", "label": "DNI y nacimiento"},
    {"code": "preguntas", "label": "Preguntas"},
    {"code": "token", "label": "Clave digital"}
  ],
  "playbooks": [
    {"motive": "1", "id": "CONSULTAS", "version": 3},
    {"motive": "2", "id": "RECLAMOS", "version": "2026-11"}
  ],
  "materials": [
    {"code": "vincha", "label": "Vincha"},
    {"code": "fotocheck", "label": "Fotocheck"},
    {"code": "sin_celular", "label": "Sin celular"}
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
      ]],
      ["3", "Ventas", [
        ["31", "Oferta", [["311", "Acepta"], ["312", "No insista"]]]
      ]]
    ]
  },
  "negative_codes": ["312"]
}"""
