"""The words in Spanish (Peru) of the technician's test; `lib.bench` has them while it runs."""


def text():
    return """
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
bench_microphone_how: Júntele el audífono
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
"""
