/* The desk's own socket. It comes back by itself; what is asked meanwhile is not kept for later:
   a key pressed on a station that is not there does nothing. */

const PAUSES_MS = [200, 400, 800, 1500];
const KINDS = ["hello", "face", "standing", "said", "error"];

export class DeskLink {
  #socket = null;
  #attempt = 0;
  #known = false;

  /** `on` has a function for each kind of message, and `lost(first)`. */
  constructor(on) {
    this.on = on;
  }

  open() {
    const url = new URL("/desk/ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("lang", document.documentElement.lang);
    if (!this.#known) this.on.lost(true);
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    this.#socket.onclose = () => this.#later();
  }

  send(request) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  #take(message) {
    this.#attempt = 0;
    this.#known = true;
    for (const kind of KINDS) if (kind in message) this.on[kind](message[kind]);
  }

  #later() {
    if (this.#known) this.on.lost(false);
    const pause = PAUSES_MS[Math.min(this.#attempt++, PAUSES_MS.length - 1)];
    setTimeout(() => this.open(), pause * (0.5 + Math.random() / 2));
  }
}
