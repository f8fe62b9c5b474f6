"""The browser of the tests: Chromium without a window to draw, which takes a third of the
processor that the whole one takes when it hides its window.
"""

CHROMIUM = "chromium-headless-shell"  # the program, and Debian's package of it
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
