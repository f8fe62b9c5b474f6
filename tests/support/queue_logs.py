"""Invented queue_logs: the lines of calls, as text or as a dump of the table."""

T = 1_795_000_000  # seconds; 2026-11-18 06:06:40 UTC is before, see scripted_station.T0


class QueueLog:
    """Lines in their order; times are seconds after T."""

    def __init__(self):
        self.lines = []

    def line(self, at, pbx, queue, agent, verb, *data):
        self.lines.append("|".join(map(str, (T + at, pbx, queue, agent, verb, *data))))
        return self

    def enter(self, at, pbx, queue="saldos", caller="099000001", position=1):
        return self.line(at, pbx, queue, "NONE", "ENTERQUEUE", "", caller, position, "Luna_Sol")

    def connect(self, at, pbx, wait, agent="SIP/201", queue="saldos", ring=2):
        return self.line(at, pbx, queue, agent, "CONNECT", wait, f"{pbx}9", ring)

    def complete(self, at, pbx, wait, talk, agent="SIP/201", queue="saldos", by="CALLER"):
        return self.line(at, pbx, queue, agent, f"COMPLETE{by}", wait, talk, 1)

    def call(self, at, pbx, wait=10, talk=60, **more):
        caller = more.pop("caller", "099000001")
        self.enter(at, pbx, more.get("queue", "saldos"), caller)
        self.connect(at + wait, pbx, wait, **more)
        return self.complete(at + wait + talk, pbx, wait, talk, **more)

    def abandon(self, at, pbx, wait=30, queue="saldos", agent="NONE"):
        self.enter(at, pbx, queue)
        return self.line(at + wait, pbx, queue, agent, "ABANDON", 1, 1, wait)

    def text(self, end="\n"):
        return "".join(line + end for line in self.lines)

    def write(self, path, end="\n"):
        path.write_text(self.text(end), newline="")
        return path

    def dump(self, path, *, header=True, time=str, delimiter=",", number=False):
        """As a table's rows; `time` writes epoch seconds."""
        names = [
            "time",
            "callid",
            "queuename",
            "agent",
            "event",
            *(f"data{n}" for n in range(1, 6)),
        ]
        rows = [["id", *names] if number else names] if header else []
        for at, line in enumerate(self.lines, 1):
            cells = line.split("|")
            cells = [*cells[:9], "|".join(cells[9:])] if len(cells) > 9 else cells
            cells += [""] * (10 - len(cells))
            row = [time(int(cells[0])), *cells[1:]]
            rows.append([at, *row] if number else row)
        text = "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows)
        path.write_text(text)
        return path
