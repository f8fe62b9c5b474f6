/* The floor's own socket: snapshot, deltas, and the truth about silence.
   Comes back by itself with growing, jittered pauses; a gap in the numbering asks for a snapshot. */

import { leaveIfOver } from "./ask.js";

const SILENCE_MS = 3000;
const GIVE_UP_MS = 8000;
const PAUSES_MS = [150, 300, 600, 1000];

export class Link {
  #socket = null;
  #seq = null;
  #heard = -Infinity;
  #down = null;
  #why = null;
  #attempt = 0;
  #timers = [];
  #stale = undefined;
  #closed = false;

  /** `on.snapshot(snap)`, `on.change(message)`, `on.stale(sinceMs | 0 | null, why)`; 0 is never,
      null fresh; `why` is "disk" or null. */
  constructor(scope, clock, on) {
    this.scope = scope;
    this.clock = clock;
    this.on = on;
  }

  open() {
    this.#connect();
    this.#timers.push(setInterval(() => this.#judge(), 250));
    document.addEventListener("visibilitychange", this.#judge);
  }

  close() {
    this.#closed = true;
    this.#timers.forEach(clearInterval);
    document.removeEventListener("visibilitychange", this.#judge);
    this.#drop();
  }

  /** Ask for another view; what came of the one before is over. */
  look(scope) {
    if (scope === this.scope) return;
    this.scope = scope;
    if (!this.#socket) return; // it is coming back, to the new one
    this.#drop();
    this.#connect();
  }

  #connect() {
    const url = new URL("/ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (this.scope !== "full") url.searchParams.set("scope", this.scope);
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#seq = null;
    this.#heard = Math.max(this.#heard, performance.now() - SILENCE_MS);
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = () => this.#later();
  }

  #later() {
    if (this.#closed) return;
    this.#drop();
    if (this.scope !== "wall") leaveIfOver();
    const pause = PAUSES_MS[Math.min(this.#attempt++, PAUSES_MS.length - 1)];
    setTimeout(() => this.#closed || this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
  }

  #take(message) {
    const body = message.snap ?? message;
    this.clock.anchor(body.now, body.speed);
    this.#heard = performance.now();
    this.#down = body.down ?? null;
    const why = body.why ?? null;
    if (why !== this.#why) this.#stale = undefined; // to be told again
    this.#why = why;
    if (message.snap) {
      this.#attempt = 0;
      this.#seq = body.seq;
      this.on.snapshot(body);
    } else if (this.#seq !== null && body.seq === this.#seq + 1) {
      this.#seq = body.seq;
      this.on.change(body);
    } else if (this.#seq !== null) {
      this.#seq = null; // deltas are ignored until the snapshot is here
      this.#socket.send("snap");
    }
    this.#judge();
  }

  #judge = () => {
    const silence = performance.now() - this.#heard;
    if (silence > GIVE_UP_MS && this.#socket) this.#later();
    let stale = this.#down;
    if (silence >= SILENCE_MS) {
      stale = this.clock.known ? this.#stale || this.clock.running() - silence * this.clock.speed : 0;
    }
    if (stale === this.#stale) return;
    this.#stale = stale;
    this.on.stale(stale, this.#why);
  };
}

/** After an update of the hub, the page takes its new modules; once for each build. */
export function outdated(build) {
  const mine = document.documentElement.dataset.build;
  if (!mine || !build || mine === build) return false;
  const key = `diadema.reloaded.${build}`;
  if (sessionStorage.getItem(key)) return false;
  sessionStorage.setItem(key, "1");
  location.reload();
  return true;
}
