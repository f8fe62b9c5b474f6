"""The stations: their page, commands and bench tests, and the firmware images to flash."""
