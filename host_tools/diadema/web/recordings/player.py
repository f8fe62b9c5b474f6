"""What `static/player.js` says, on every page that has a player. It comes to no sound."""

from diadema.words import section

_OF_THE_PLAYER = (
    "play", "pause", "back5", "forward5", "speed", "position", "wave", "marks", "side",
    "buffering", "sound", "mark", "step",
)  # fmt: skip


def player_words(language: str) -> dict[str, str]:
    return {
        word: said
        for word, said in section("quality", language).items()
        if word.partition(".")[0] in _OF_THE_PLAYER
    }
