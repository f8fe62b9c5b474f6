/* What the station writes, newest first, and how much of it the hub keeps already. */

import { hourOf } from "./clock.js";
import { fill } from "./tile.js";

const KEPT = 200;
const PATIENCE_MS = 1200; // what the hub stores within it did not wait

export class Said {
  #stored = 0;
  #timer = 0;

  constructor(section, words) {
    this.words = words;
    this.log = section.querySelector("[data-log]");
    this.list = section.querySelector("[data-said]");
    this.none = section.querySelector("[data-none]");
    this.state = section.querySelector("[data-stored]");
    this.hour = hourOf("America/Lima", document.documentElement.lang, true);
  }

  /** A fresh start: the station may be another one since the socket was lost. */
  begin({ zone, said }) {
    this.hour = hourOf(zone, document.documentElement.lang, true);
    this.list.replaceChildren();
    this.log.setAttribute("aria-live", "off"); // the past is not read aloud
    this.add(said);
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  add(entries) {
    for (const entry of entries) {
      this.list.prepend(this.#line(entry));
    }
    while (this.list.children.length > KEPT) this.list.lastElementChild.remove();
    this.none.hidden = this.list.children.length > 0;
    this.#mark();
  }

  #line({ id, n, t, k, tone, text }) {
    const line = document.createElement("li");
    Object.assign(line.dataset, { id, kind: k, tone });
    line.since = performance.now();
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
    clearTimeout(this.#timer);
    let [unstored, waiting, soonest] = [0, 0, Infinity];
    for (const line of this.list.children) {
      const isUnstored = Number(line.dataset.id) > this.#stored;
      const left = line.since + PATIENCE_MS - performance.now();
      if (isUnstored && left > 0) soonest = Math.min(soonest, left);
      const waits = isUnstored && left <= 0;
      unstored += isUnstored;
      waiting += waits;
      line.toggleAttribute("data-waits", waits);
    }
    if (soonest < Infinity) this.#timer = setTimeout(() => this.#mark(), soonest);
    if (unstored && !waiting) return; // it will be known in a moment
    const key = waiting ? (waiting === 1 ? "stored.one" : "stored.waiting") : "stored";
    const text = this.list.children.length ? fill(this.words[key], { n: waiting }) : "";
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.toggleAttribute("data-waits", waiting > 0);
  }
}
