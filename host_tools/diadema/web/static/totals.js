/* The figures on top. A state's total counts everybody in it, so that floor and report agree;
   «sin conexión» stands apart: it says of how many of them the link is lost. So does «ayudas en
   cola», with the longest wait: it leads to the page of whoever helps. */

import { duration } from "./clock.js";
import { fill } from "./tile.js";
import { icon } from "./icons.js";
import { LOGGED_OUT, STATES } from "./wire.js";

const KEYS = ["online", ...STATES, "lost"];
const ANNOUNCE_MS = 20000;

export class Totals {
  #figures = new Map();
  #said = "";
  #saidAt = -Infinity;
  #help = [0, null];

  /** `choose(key)` is called when a total is pressed; without it they are plain figures. `helps`: the
      address of the page that shows who waits for help, for who may see it. */
  constructor(words, choose, helps) {
    this.words = words;
    this.element = document.createElement("div");
    this.element.className = "totals";
    this.element.setAttribute("role", choose ? "group" : "list");
    this.element.setAttribute("aria-label", words.totals);
    this.live = document.createElement("p");
    this.live.className = "unseen";
    this.live.setAttribute("aria-live", "polite");
    for (const key of KEYS) this.element.append(this.#make(key, choose));
    this.element.append(this.#makeHelp(Boolean(choose), helps));
  }

  #makeHelp(inside, helps) {
    const one = document.createElement(helps ? "a" : "div");
    if (helps) one.href = helps;
    if (!inside) one.setAttribute("role", "listitem");
    one.className = "total";
    one.dataset.total = "help";
    this.helping = document.createElement("b");
    this.helping.append("0");
    this.waited = document.createElement("time");
    this.waited.title = this.words.longest;
    const word = document.createElement("span");
    const badge = document.createElement("i");
    badge.className = "badge";
    badge.append(icon("help"));
    word.append(badge, this.words["total.help"]);
    one.append(this.helping, " ", this.waited, " ", word);
    one.toggleAttribute("data-zero", true);
    return one;
  }

  /** Take what a message says of calls for help: how many wait, and since when the first. */
  take(message) {
    if ("help" in message) this.#help = message.help;
  }

  /** Write what time alone changes. */
  tick(now) {
    const [waiting, since] = this.#help;
    const count = String(waiting);
    const time = since ? duration(now - since) : "";
    if (this.helping.textContent !== count) this.helping.textContent = count;
    if (this.waited.textContent !== time) this.waited.textContent = time;
    this.helping.parentNode.toggleAttribute("data-zero", !waiting);
  }

  #make(key, choose) {
    const one = document.createElement(choose ? "button" : "div");
    one.className = "total";
    one.dataset.total = key;
    one.toggleAttribute("data-zero", true);
    if (choose) {
      one.type = "button";
      one.setAttribute("aria-pressed", "false");
      one.addEventListener("click", () => choose(key));
    } else {
      one.setAttribute("role", "listitem");
    }
    const figure = document.createElement("b");
    figure.append("0");
    const word = document.createElement("span");
    if (key !== "online") {
      const badge = document.createElement("i");
      badge.className = "badge";
      badge.append(icon(key));
      word.append(badge);
    }
    word.append(this.words[`total.${key}`]);
    one.append(figure, " ", word);
    this.#figures.set(key, figure.firstChild);
    return one;
  }

  /** Count the rows anew; says them aloud, politely and seldom, when they changed. */
  update(tiles) {
    const counts = Object.fromEntries(KEYS.map((key) => [key, 0]));
    for (const tile of tiles) {
      counts[tile.row.state] = (counts[tile.row.state] ?? 0) + 1;
      if (tile.row.state !== LOGGED_OUT) counts.online += 1;
      if (tile.isLost) counts.lost += 1;
    }
    for (const [key, node] of this.#figures) {
      const text = String(counts[key]);
      if (node.data === text) continue;
      node.data = text;
      node.parentNode.parentNode.toggleAttribute("data-zero", counts[key] === 0);
    }
    this.counts = counts;
  }

  announce() {
    const now = performance.now();
    if (!this.counts || now - this.#saidAt < ANNOUNCE_MS) return;
    let sentence = fill(this.words.announce, this.counts);
    if (this.counts.lost) sentence += `, ${fill(this.words["announce.lost"], this.counts)}`;
    if (sentence === this.#said) return;
    this.#said = sentence;
    this.#saidAt = now;
    this.live.textContent = sentence;
  }

  /** Mark which totals filter the floor now. */
  press(keys) {
    for (const one of this.element.querySelectorAll("button")) {
      const pressed = String(keys.includes(one.dataset.total));
      if (one.getAttribute("aria-pressed") !== pressed) one.setAttribute("aria-pressed", pressed);
    }
  }
}
