"""How a real chip behaves where a simulation would rather be kind: one table, in force from the
first byte on. A test that wants a worse day changes a figure by the `manners` command, by name.

| figure | what it is | source |
|---|---|---|
| stdin_bytes | ring of what came and was not read: 260, of which one stays free | mphalport.c |
| fifo_bytes | in the UART when its interrupt comes, in an erase too (IRAM) | uart.c |
| stdin_bytes_ms | what comes in a millisecond at 115 200 baud, in hundredths | 8N1 |
| erase_ms | the chip stands while a sector of 4 KB is erased; 400 at most | flash data sheets |
| read_us | a `readblocks`: 65-85 were seen | an emulated ESP32 |
| program_us | a page of 256 bytes is programmed | flash data sheets: 400-700 typical |
| tick_ms | a wait of asyncio ends at a tick of FreeRTOS | CONFIG_FREERTOS_HZ = 100; mphalport.c |
| ticks_from | what `time.ticks_ms` counts from at power-on | 0, near a wrap where wanted |
| handlers | scheduled handlers that wait; one more is dropped | MICROPY_SCHEDULER_DEPTH |
| dips_s | dips a second of GPIO 36 and 39 with Wi-Fi on and `pm` not PM_NONE | ESP32 errata 3.11 |
| handshake_ms | a TLS handshake, one C call | an emulated ESP32: 500-2 000 |
| radio_ms | `WLAN(0)` for the first time, one C call | trace in arduino-esp32 #5698 |
| scan_ms | a scan of 13 channels, one C call without the lock | 120 ms a channel, esp_wifi.h |
| name_ms | a name that is answered, one C call without the lock | a local name server |
| dns_ms | a name that is not: lwIP asks four times, after 1, 1, 2 and 3 s | lwIP dns.c |
| beacon_ms | an access point is gone and the chip says so | esp_wifi_set_inactive_time |
| wrong_password | what `status()` says of one: 15, 202 or 204 | micropython #11625 |
| wrong_password_ms | until it does | WPA2's handshake timeout of the ESP-IDF |
"""

import wire

stdin_bytes = 259
fifo_bytes = 120
stdin_bytes_ms = 1152
erase_ms = 45
read_us = 80
program_us = 700
tick_ms = 10
ticks_from = 0
handlers = 8
dips_s = 5
handshake_ms = 1200
radio_ms = 280
scan_ms = 2000
name_ms = 20
dns_ms = 7000
beacon_ms = 6000
wrong_password = 15
wrong_password_ms = 4000


def _change(command):
    for name, value in command["figures"].items():
        if name not in globals() or not isinstance(globals()[name], int):
            raise ValueError("no such figure: " + name)
        globals()[name] = value


wire.on("manners", _change)
