"""What goes into this board's image: MicroPython's own modules, the station, the board's table.

The station is compiled with -O3, which leaves line numbers out: a twelfth of its bytes. The
simulated boards keep them, so that a traceback says its lines.
"""

include("$(PORT_DIR)/boards/manifest.py")
freeze("$(BOARD_DIR)", "board.py", opt=3)
package("lib", base_path="$(BOARD_DIR)/../../firmware", opt=3)
package("drivers", base_path="$(BOARD_DIR)/../../firmware", opt=3)
freeze("$(BOARD_DIR)/../../firmware", ("boot.py", "main.py"), opt=3)
freeze("$(BOARD_DIR)/../../firmware", ("start.py", "slots.py", "update.py", "safe.py"), opt=3)
