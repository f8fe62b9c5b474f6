"""How many examples a property of a whole history is tried with."""

import os


def examples(many: int) -> int:
    """So many; a third where hypothesis draws the same ones each time, as it does in CI: more of
    those find nothing that a search on a developer's machine has not found.
    """
    return max(many // 3, 5) if os.environ.get("CI") else many
