#define MICROPY_HW_BOARD_NAME               "Diadema on ESP32-S3-Korvo-2"
#define MICROPY_HW_MCU_NAME                 "ESP32-S3"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "diadema-korvo2"

// No part of a station uses Bluetooth, and the image must fit an update slot.
#define MICROPY_PY_BLUETOOTH                (0)

// The console and the host are on the USB-UART bridge of the board.
#define MICROPY_HW_ENABLE_UART_REPL         (1)

#define MICROPY_HW_I2C0_SCL                 (18)
#define MICROPY_HW_I2C0_SDA                 (17)
