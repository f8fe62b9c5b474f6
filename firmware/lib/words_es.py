"""The station's words in Spanish (Peru), a line each: `key: word`. Groups: states; soft labels by
what the key does, which fit 28 pixels (about six letters); the line of detail; lists; messages;
the technician's test.
"""

from lib.words import catalogue

WORDS = catalogue("""
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
headset_out: Conecte su diadema
next: Luego: %s
finish_hint: 1 listo
login: Recién ingresado
no_answer: Sin respuesta
auxiliar: Auxiliar
hello: ¡Hola, %s!
missed_no_answer: No contestó: pasa a auxiliar
help_waits: Ayuda %s
help_comes: Ayuda: va %s
turn_ahead: %s antes que usted
turn_next: Sigue usted
turn_to: Lo verá %s
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
today: Atenciones hoy aquí: %s
mute: MUDO
conference: En conferencia

more: Más ›
reasons_list: Auxiliar
menu_list: Menú
tree_list: Tipificación
close_session: Cerrar sesión
mark_out: SALIDA

message.turn: Más ›
message.acknowledge: Leído
message.aside: Luego
message.agree: Confor
message.observe: Obs.

no_config: Sin configuración
by_cable: Con Wi-Fi: configure por cable
safe_mode: Modo seguro
safe_crashes: Falla: avise a soporte
safe_no_program: Sin programa
safe_old_image: Imagen sin PSRAM
safe_no_psram: Falla la PSRAM
volume: Volumen %s
goodbye: ¡Hasta luego!
missed_caller_gave_up: El usuario colgó
missed_withdrawn: Llamada retirada
missed_rejected: Llamada retirada
phone_failed: Su teléfono no contestó
no_phone: Su teléfono no se registró
missed_technical: No cuenta: falla técnica
unknown_badge: Fotocheck no reconocido
not_genuine: Fotocheck no auténtico
no_roster: Falta la configuración
in_call: Termine su llamada primero
bad_read: Pase otra vez el fotocheck
two_badges: Pase un solo fotocheck
journal_full: Memoria llena: avise
broken: Falla: %s
fault: Falla técnica
badge_reader: lector de fotocheck
codec: audio
keys: teclas
keys.inputs_unsure: Quizá faltó una tecla
headset: diadema
screen: pantalla
journal: diario
uplink: enlace
telephone.no_phone: Sin teléfono
switch.no_switch: Sin central
wifi: Wi-Fi
wifi.wrong_password: Clave de Wi-Fi errada
wifi.no_network: No ve la red Wi-Fi
wifi.other_security: Wi-Fi de otro tipo
wifi.too_weak: Wi-Fi muy débil
wifi.no_name: No halla el servidor
wifi.certificate: Certificado no válido
wifi.tls: Servidor: falla TLS
wifi.refused: Credencial no válida
wifi.no_memory: Wi-Fi sin memoria
wifi.radio: Radio de Wi-Fi falla
config: configuración
help_accepted: Va %s
help_resolved: Ayuda resuelta
fault_sent: Falla avisada
fault_accepted: Falla: la ve %s
fault_resolved: Falla resuelta
fault_rejected: Falla no procede
limit_near: Su tiempo acaba pronto
blocked_hours: Fuera de horario: no llame
blocked_day: Hoy no se llama
blocked_consent: Sin consentimiento: no llame
blocked_clock: Sin hora: no se puede llamar
sign_it: Firme con su fotocheck
signed: ¿Está conforme?
marked_in: Entrada %s
marked_out: Salida %s
mark_repeated: Marca repetida
marked_unknown: Marcó %s: no registrado
relief: Relevo: %s
wrong_pin: PIN errado
wrong_left: PIN errado, quedan %s
pin_cancelled: Sin PIN: pase otra vez
wait: Espere %s s
mark_pin: Entrada %s · PIN
type_pin: Marque su PIN
type_code: Marque su código
type_new: Elija su PIN
type_again: Otra vez el mismo
weak_pin: Muy fácil: elija otro
other_pin: No es igual: de nuevo
checking: Un momento
closed_by: La cerró %s
ended: Sesión cerrada: %s
ended_moved: Ingresó en otro puesto
ended_at_other_seat: Ya está en otro puesto
ended_unknown_badge: Fotocheck no válido
ended_not_in_roster: No figura en la lista
ended_pin_required: Falta su PIN
ended_locked: PIN bloqueado
ended_shift_end: Terminó su turno
ended_corrected: Sesión corregida
fit: Posición operativa
unfit: No apta: %s
microphone: micrófono
lights: luces
link: enlace
clock: hora
firmware: programa
materials: materiales
tools: herramientas
test_keys: Pulse %d
test_keys_how: Cada tecla, de 1 a 6
test_microphone: Hable
test_microphone_how: Diga: uno, dos, tres
test_lights: ¿Luces?
test_lights_how: Las tres: 3 Sí · 4 No

intend_list: Luego
help_list: Ayuda
faults_list: Falla
rate_list: ¿Le sirvió?
confirm_list: ¿Funciona?
motive: Motivo
pause_recording: Pausar grabación
go_on_recording: Seguir grabación
skip_step: Omitir paso
pending: Pendientes
yes: Sí
no: No
transfer: Transferir
after_call: Al terminar
code_now: Tipificar
cancel_help: Cancelar ayuda
topic: Decir el tema
messages: Mensajes
selftest: Autoprueba
selftest_list: Autoprueba
prove_list: Prueba del chip
prove_hear: ¿Se oye?
prove_hear_how: 3 Sí · 4 No
prove_told: Lo que dice la computadora
selftest_begin: Empezar
selftest_skip: Omitir
skip_list: ¿Por qué?
call_waits: Llamada en espera
done_before: Ya la hice
no_time: Sin tiempo
tools_list: ¿%s?
tool_fault_list: ¿Avisar la falla?
materials_list: ¿Qué falta?
all_there: Nada falta
rest_there: Nada más
settings_list: Ajustes
settings: Ajustes
set_volume: Volumen %s
set_microphone: Micrófono %s dB
set_sidetone: Oírse %s
set_tones: Tonos %s
tones_on: sí
tones_off: no
set_brightness: Brillo %s
set_language: Idioma %s
brightness_high: alto
brightness_mid: medio
brightness_low: bajo
language_es: español
language_en: English
pending_list: Pendientes
campaigns_list: Campaña
consent_list: ¿Consintió?
methods_list: ¿Cómo verificó?
motives_list: Motivo
quiet_list: ¿Sigue en línea?
areas_list: Transferir a
session_list: ¿Qué desea?
pin_list: PIN
code_list: Código
with_code: Sin fotocheck
cancel: Cancelar

flash: programa dañado
badge_uid: fotocheck
badge_secure: fotocheck seguro
badge_em: fotocheck 125 kHz
badge_wiegand: fotocheck
bench_keys: Pulse %d
bench_keys_how: Cada tecla, de 1 a 6
bench_other: Llegó la tecla %d
bench_lights: ¿Luces?
bench_lights_how: Las tres: 3 Sí · 4 No
bench_screen: ¿Pantalla?
bench_screen_how: Sin manchas: 3 Sí · 4 No
bench_headset_out: Desconecte
bench_headset_out_how: La diadema
bench_headset_in: Conecte
bench_headset_in_how: La diadema
bench_microphone: Micrófono
bench_microphone_how: Júntele la diadema
bench_badge: Fotocheck
bench_uid_how: Pase uno cualquiera
bench_secure_how: Pase uno seguro
bench_em_how: Pase uno de 125 kHz
bench_wiegand_how: Pase uno cualquiera
bench_wait: Un momento
bench_wait_how: Se prueba la memoria
bench_yes: Operativa
bench_no: No operativa
bench_left: Prueba interrumpida
bench_crash: Falló el programa
""")
