/* What the station writes, newest first, and how much of it the hub keeps already. */

import { hourOf } from "./clock.js";
import { fill } from "./tile.js";

const KEPT = 200;

export class Said {
  #newest = 0;
  #stored = 0;

  constructor(section, words) {
    this.words = words;
    this.list = section.querySelector("[data-said]");
    this.none = section.querySelector("[data-none]");
    this.state = section.querySelector("[data-stored]");
    this.hour = hourOf("America/Lima", document.documentElement.lang, true);
  }

  /** A fresh start: the station may be another one since the socket was lost. */
  begin({ zone, said }) {
    this.hour = hourOf(zone, document.documentElement.lang, true);
    this.#newest = 0;
    this.list.replaceChildren();
    this.list.setAttribute("aria-live", "off"); // the past is not read aloud
    this.add(said);
    requestAnimationFrame(() => this.list.setAttribute("aria-live", "polite"));
  }

  add(entries) {
    for (const entry of entries) {
      this.#newest = Math.max(this.#newest, entry.id);
      this.list.prepend(this.#line(entry));
    }
    while (this.list.children.length > KEPT) this.list.lastElementChild.remove();
    this.none.hidden = this.list.children.length > 0;
    this.#mark();
  }

  #line({ id, n, t, k, tone, text }) {
    const line = document.createElement("li");
    Object.assign(line.dataset, { id, n, kind: k, tone });
    line.title = `${n} · ${k}`;
    const time = document.createElement("time");
    time.dateTime = new Date(t).toISOString();
    time.textContent = this.hour(t);
    const words = document.createElement("span");
    words.textContent = text;
    line.append(document.createElement("i"), words, time);
    return line;
  }

  /** The newest event that the hub keeps; what is above waits on the station's flash. */
  stored(number) {
    this.#stored = number;
    this.#mark();
  }

  #mark() {
    let waiting = 0;
    for (const line of this.list.children) {
      const waits = Number(line.dataset.id) > this.#stored;
      waiting += waits;
      line.toggleAttribute("data-waits", waits);
    }
    const key = waiting ? (waiting === 1 ? "stored.one" : "stored.waiting") : "stored";
    const text = this.list.children.length ? fill(this.words[key], { n: waiting }) : "";
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.toggleAttribute("data-waits", waiting > 0);
  }
}
