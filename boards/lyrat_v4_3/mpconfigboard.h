#define MICROPY_HW_BOARD_NAME               "Diadema on ESP32-LyraT V4.3"
#define MICROPY_HW_MCU_NAME                 "ESP32"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "diadema-lyrat"

// No part of a station uses Bluetooth, and the image must fit an update slot.
#define MICROPY_PY_BLUETOOTH                (0)

#define MICROPY_HW_I2C0_SCL                 (23)
#define MICROPY_HW_I2C0_SDA                 (18)
