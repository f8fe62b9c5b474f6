/* The six keys: down as long as a pointer or a key of the keyboard is, several at once. */

const LONG_MS = 950; // longer than the station's long press

export class Keys {
  #down = new Map(); // key: what holds it

  constructor(station, send) {
    this.send = send;
    this.buttons = new Map([...station.querySelectorAll("[data-key]")].map((one) => [Number(one.dataset.key), one]));
    for (const [key, button] of this.buttons) this.#wire(key, button);
    addEventListener("blur", () => this.release());
    document.addEventListener("visibilitychange", () => document.hidden && this.release());
  }

  #wire(key, button) {
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.press(key, `pointer${event.pointerId}`);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, (event) => this.lift(key, `pointer${event.pointerId}`));
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // a press without a pointer: a screen reader's, or Enter and the space bar
    button.addEventListener("click", (event) => {
      if (event.detail === 0) this.send({ do: "press", key });
    });
  }

  press(key, by) {
    if (this.#down.has(key)) return;
    this.#down.set(key, by);
    this.buttons.get(key).toggleAttribute("data-down", true);
    this.send({ do: "down", key });
  }

  lift(key, by) {
    if (this.#down.get(key) !== by) return;
    this.#down.delete(key);
    this.buttons.get(key).toggleAttribute("data-down", false);
    this.send({ do: "up", key });
  }

  /** Hold a key as long as a long press takes. */
  long(key) {
    this.press(key, "long");
    setTimeout(() => this.lift(key, "long"), LONG_MS);
  }

  /** Let go of all. */
  release() {
    for (const [key, by] of [...this.#down]) this.lift(key, by);
  }
}
