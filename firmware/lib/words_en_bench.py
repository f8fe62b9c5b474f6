"""The words in English of the technician's test; `lib.bench` has them while it runs."""


def text():
    return """
flash: damaged program
badge_uid: badge
badge_secure: secure badge
badge_em: 125 kHz badge
badge_wiegand: badge
bench_keys: Press %d
bench_keys_how: Each key, from 1 to 6
bench_other: Key %d came
bench_lights: Lights?
bench_lights_how: All three: 3 Yes · 4 No
bench_screen: Screen?
bench_screen_how: No spots: 3 Yes · 4 No
bench_headset_out: Unplug
bench_headset_out_how: The headset
bench_headset_in: Plug in
bench_headset_in_how: The headset
bench_microphone: Microphone
bench_microphone_how: Hold the earphone to it
bench_badge: Badge
bench_uid_how: Hold any there
bench_secure_how: Hold a secure one
bench_em_how: Hold one of 125 kHz
bench_wiegand_how: Hold any there
bench_wait: One moment
bench_wait_how: The memory is tested
bench_yes: Fit
bench_no: Not fit
bench_left: Test broken off
bench_crash: The program failed
"""
