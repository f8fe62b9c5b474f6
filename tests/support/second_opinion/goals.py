"""What is aimed at: of a stage its own, else of all; of a queue its own, else the site's."""

METRICS = {
    "asa_s": "ASA (s)", "abandonment": "Abandono (%)", "aht_s": "TMO (s)",
    "answer_rate": "Nivel de atención (%)", "occupancy": "Ocupación (%)",
    "utilisation": "Utilización (%)", "adherence": "Adherencia (%)",
    "raw_mean": "Calidad (nota media)", "help_wait_p50_s": "espera de la ayuda (s)",
}  # fmt: skip
LEVEL = "Nivel de servicio (%)"


def goal(asked, key, queue=None, stage=""):
    """Of the figure `key`; None without one, and where a service level is of another variant."""
    queue = (asked.code if asked.of == "queue" else "") if queue is None else queue
    variant = key.removeprefix("sl_") if key.startswith("sl_") else None
    metric = LEVEL if variant else METRICS.get(key)
    rows = {
        (one["Cola"], one["Etapa"].lower()): one
        for one in asked.centre.targets if one["Indicador"] == metric
    }  # fmt: skip
    order = [(queue, ""), ("", "")]
    if stage not in ("", "piso"):
        order = [(queue, stage), ("", stage), *order]
    its = next((rows[at] for at in order if at in rows), None)
    if its is None or (variant and asked.centre.aim(queue)[0] != variant):
        return None
    return float(its["Meta"])
