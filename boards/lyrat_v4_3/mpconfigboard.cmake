# For a MicroPython tree whose ports/esp32/boards has the files named here; see board.md.
include(boards/mpconfigboard_esp32_common.cmake)

# the build wants a partition table by its full path, which only the build knows
get_filename_component(DIADEMA_TABLE ${MICROPY_BOARD_DIR}/../partitions-4mb.csv ABSOLUTE)
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.partitions
    "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${DIADEMA_TABLE}\"\n"
)

list(APPEND SDKCONFIG_DEFAULTS
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram_esp32
    ${MICROPY_BOARD_DIR}/sdkconfig.board
    ${CMAKE_BINARY_DIR}/sdkconfig.partitions
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
