"""What goes into this board's image: MicroPython's own modules, the station, the board's table."""

include("$(PORT_DIR)/boards/manifest.py")
freeze("$(BOARD_DIR)", "board.py")
package("lib", base_path="$(BOARD_DIR)/../../firmware")
package("drivers", base_path="$(BOARD_DIR)/../../firmware")
freeze("$(BOARD_DIR)/../../firmware", ("boot.py", "main.py"))
