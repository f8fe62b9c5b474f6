/* The tray of sample badges: one touch holds one to the reader for a moment. */

import { fill } from "./tile.js";

const PENDING_MS = 4000;
const DIGITS = 9; // a digit after B reaches so many

function element(name, className, text = "") {
  const one = document.createElement(name);
  if (className) one.className = className;
  if (text) one.textContent = text;
  return one;
}

function initials(name) {
  return name ? name.split(" ").map((word) => word[0]).join("").slice(0, 2) : "?";
}

export class Badges {
  #timer = 0;
  #ids = [];

  constructor(tray, words, tap) {
    Object.assign(this, { words, tap });
    this.list = tray.querySelector("[data-badges]");
    this.hint = tray.querySelector("[data-tray-hint]");
    this.held = document.querySelector("[data-held]");
    this.reader = document.querySelector("[data-reader]");
  }

  lay(badges) {
    this.#ids = badges.map((badge) => badge.id);
    this.list.replaceChildren(...badges.map((badge, at) => this.#card(badge, at)));
  }

  #card({ id, name, team, pin }, at) {
    const { words } = this;
    const card = element("button", "card");
    card.type = "button";
    card.dataset.badge = id;
    card.dataset.colour = String(at % 4);
    const label = name ?? words["badge.unknown"];
    card.setAttribute("aria-label", fill(words["badge.tap"], { name: label }));
    const text = element("span", "card-text");
    text.append(element("b", "", label), element("small", "", name ? team : words["badge.unknown.team"]));
    if (pin) text.append(element("small", "pin", fill(words["badge.pin"], { pin })));
    card.append(element("i", "slot"), element("span", "photo", initials(name)), text);
    if (at < DIGITS) card.append(element("kbd", "", String(at + 1)));
    card.addEventListener("click", () => this.tap(id));
    return card;
  }

  /** A digit after B: the badge in that place. */
  tapAt(place) {
    if (this.#ids[place]) this.tap(this.#ids[place]);
  }

  /** Wait for that digit; the tray says so. */
  await(done) {
    this.hint.textContent = fill(this.words["pending.badge"], { n: Math.min(this.#ids.length, DIGITS) });
    this.hint.toggleAttribute("data-pending", true);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(done, PENDING_MS);
  }

  settle() {
    clearTimeout(this.#timer);
    this.hint.textContent = this.words["tray.hint"];
    this.hint.toggleAttribute("data-pending", false);
  }

  /** Show which badge lies at the reader now, or none. */
  hold(id) {
    for (const card of this.list.children) card.toggleAttribute("data-held", card.dataset.badge === id);
    this.reader.toggleAttribute("data-reading", Boolean(id));
    this.held.hidden = !id;
    if (!id) return;
    const card = this.list.querySelector(`[data-badge="${CSS.escape(id)}"]`);
    this.held.dataset.colour = card?.dataset.colour ?? "0";
    this.held.firstElementChild.textContent = card?.querySelector(".photo").textContent ?? "";
  }
}
