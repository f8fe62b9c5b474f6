"""The station's words in Spanish (Peru), a line each: `key: word`. Groups: states; soft labels by
what the key does, which fit 28 pixels (about six letters); the line of detail; lists.
"""

from lib.words import Words

WORDS = Words(
    """
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
dial.begin: Llamar
step: Paso
answer: Conec.
typify: Tipif.
hold: Espera
resume: Volver
intend: Luego
transfer.join: Unir
transfer.swap: Altern
transfer.confer: Confer
transfer.back: Volver
help.ask: Ayuda
pin.code: Código
menu.show: Menú
seen: Visto

tap_badge: Pase su fotocheck
answer_hint: 1 contestar · 2 silenciar
silenced: Timbre silenciado
hang_up_hint: 1 colgar · 3 contestó
muted: Micrófono en silencio
next: Luego: %s
finish_hint: 1 listo
login: Recién ingresado
no_answer: Sin respuesta
auxiliar: Auxiliar
hello: ¡Hola, %s!
missed_no_answer: No contestó: pasa a auxiliar
help_waits: Ayuda %s
help_comes: Ayuda: va %s
limit_left: Quedan %s
limit_over: Excedido %s
set_by: Lo puso %s
supervisor: supervisión
with_area: Con %s
with_caller: Con el usuario
unrecorded: Grabación en pausa
greeting: Saludo
identity: Identidad
need: Necesidad
information: Información
doubts: Dudas
closing: Cierre
step_at: Paso %s
guide: Guía %s
undo_hint: 1 deshacer · %s
pending_count: Pendientes: %s
conference: En conferencia

more: Más ›
reasons_list: Auxiliar
menu_list: Menú
tree_list: Tipificación
close_session: Cerrar sesión
mark_out: SALIDA
""",
    "words_es_more",
)
