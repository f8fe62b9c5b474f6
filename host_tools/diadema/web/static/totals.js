/* The figures on top. A state's total counts everybody in it, so that floor and report agree;
   «sin conexión» stands apart: it says of how many of them the link is lost. */

import { fill } from "./tile.js";
import { icon } from "./icons.js";
import { LOGGED_OUT, STATES } from "./wire.js";

const KEYS = ["online", ...STATES, "lost"];
const ANNOUNCE_MS = 20000;

export class Totals {
  #figures = new Map();
  #said = "";
  #saidAt = -Infinity;

  /** `choose(key)` is called when a total is pressed; without it they are plain figures. */
  constructor(words, choose) {
    this.words = words;
    this.element = document.createElement("div");
    this.element.className = "totals";
    this.element.setAttribute("role", choose ? "group" : "list");
    this.element.setAttribute("aria-label", words.totals);
    this.live = document.createElement("p");
    this.live.className = "unseen";
    this.live.setAttribute("aria-live", "polite");
    for (const key of KEYS) this.element.append(this.#make(key, choose));
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
    for (const one of this.element.children) {
      const pressed = String(keys.includes(one.dataset.total));
      if (one.getAttribute("aria-pressed") !== pressed) one.setAttribute("aria-pressed", pressed);
    }
  }
}
