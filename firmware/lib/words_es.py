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
consulting: Consulta
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
transfer.join: Unir
transfer.swap: Altern
transfer.confer: Confer
transfer.back: Volver
help.ask: Ayuda
menu.show: Menú
seen: Visto

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
broken: Falla: %s
fault: Falla técnica
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
limit_near: Su tiempo acaba pronto
limit_left: Quedan %s
limit_over: Excedido %s
set_by: Lo puso %s
supervisor: supervisión
with_area: Con %s
with_caller: Con el usuario
conference: En conferencia

more: Más ›
reasons_list: Auxiliar
intend_list: Luego
menu_list: Menú
help_list: Ayuda
faults_list: Falla
transfer: Transferir
after_call: Al terminar…
code_now: Tipificar
cancel_help: Cancelar ayuda
topic: Decir el tema
tree_list: Tipificación
areas_list: Transferir a
"""
WORDS = dict(line.split(": ", 1) for line in _LINES.split("\n") if line)
