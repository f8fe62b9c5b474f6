"""The page Ayudas: who waits for help, who goes, and what came of it."""
