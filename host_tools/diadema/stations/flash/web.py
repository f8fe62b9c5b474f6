"""What a browser with ESP Web Tools writes to a board: its manifest and the pieces."""

import json

from diadema.stations.flash.plan import Plan

MANIFEST = "manifest.json"
_FAMILY = {"esp32": "ESP32", "esp32s3": "ESP32-S3"}


def web_files(plan: Plan, prefix: str = "") -> dict[str, bytes]:
    """By their names, the manifest first; pieces carry the prefix. They leave the journal alone:
    one whole image in one part would be written over it.
    """
    files = {f"{prefix}{piece.name.replace(' ', '_')}.bin": piece for piece in plan.pieces}
    manifest = {
        "name": f"Diadema {plan.board}",
        "version": plan.version,
        "new_install_prompt_erase": True,  # else it erases all, the journal too
        "new_install_improv_wait_time": 10,
        "builds": [
            {
                "chipFamily": _FAMILY[plan.chip],
                "parts": [{"path": file, "offset": one.offset} for file, one in files.items()],
            }
        ],
    }
    told = json.dumps(manifest, indent=2).encode() + b"\n"
    return {MANIFEST: told, **{file: one.data for file, one in files.items()}}
