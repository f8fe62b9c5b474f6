"""The station's words in Spanish (Peru), a line each: `key: word`. Groups: states; soft labels by
what the key does, which fit 28 pixels (about six letters); the line of detail; lists.
"""

_LINES = """
logged_out: Sin sesión
ready: DISPONIBLE
not_ready: Auxiliar
offered: Timbre
dialing: Marcando
talking: Llamada
held: En espera
wrapup: Post llamada

go_ready: Disp.
choose_reason: Aux.
dial: Llamar
answer: Conec.
typify: Tipif.
hold: Espera
resume: Volver
intend: Luego
turn: Más ›
acknowledge: Leído
help.ask: Ayuda
menu.show: Menú

tap_badge: Pase su fotocheck
no_config: Sin configuración
answer_hint: 1 contestar · 2 silenciar
silenced: Timbre silenciado
hang_up_hint: 1 colgar · 3 contestó
muted: Micrófono en silencio
next: Luego: %s
finish_hint: 1 listo
login: Recién ingresado
no_answer: Sin respuesta
auxiliar: Auxiliar
volume: Volumen %s
hello: ¡Hola, %s!
goodbye: ¡Hasta luego!
missed: No contestó: pasa a auxiliar
unknown_badge: Fotocheck no reconocido
not_genuine: Fotocheck no auténtico
no_roster: Falta la configuración
in_call: Termine su llamada primero
bad_read: Pase otra vez el fotocheck
journal_full: Memoria llena: avise
fault: Falla: %s
badge_reader: lector de fotocheck
codec: audio
keys: teclas
headset: diadema
screen: pantalla
journal: memoria
uplink: enlace
wifi: Wi-Fi
wifi.wrong_password: Clave de Wi-Fi errada
config: configuración
help_waits: Ayuda %s
help_comes: Ayuda: va %s
help_accepted: Va %s
help_resolved: Ayuda resuelta
fault_sent: Falla avisada
fault_accepted: Falla: la ve %s
fault_resolved: Falla resuelta
fault_rejected: Falla no procede

more: Más ›
reasons_list: Auxiliar
intend_list: Luego
menu_list: Menú
help_list: Ayuda
faults_list: Falla
after_call: Al terminar…
code_now: Tipificar
cancel_help: Cancelar ayuda
topic: Decir el tema
tree_list: Tipificación
"""
WORDS = dict(line.split(": ", 1) for line in _LINES.split("\n") if line)
