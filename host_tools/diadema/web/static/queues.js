/* How each queue of the switch stands now: the directory's, and what else the switch tells of. What
   is over its limit or under its target has a sign beside its colour. */

import { duration } from "./clock.js";
import { fitQueues } from "./fit.js";
import { make } from "./form.js";
import { icon } from "./icons.js";
import { count, percent } from "./numbers.js";
import { place } from "./place.js";
import { fill } from "./tile.js";
import { SILENT_S } from "./wire.js";

// what is shown: its word, the rule that it can be over, and what is said then
const FACTS = {
  waiting: ["queue.waiting", "queue_waiting", "queue.over"],
  longest: ["longest", "queue_wait_s", "queue.over"],
  abandoned: ["abandoned"],
  level: ["level", "queue_level_s", "queue.under"],
  ready: ["total.ready", "queue_ready_s", "queue.nobody"],
};
const collator = new Intl.Collator("es", { numeric: true, sensitivity: "base" });

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Queues {
  #tiles = new Map();
  #told = null;
  #names = {};
  #targets = {};
  #ready = {};
  #over = {};
  #isLarge = false;

  /** `choose(queue)` is called when one is pressed; without it nothing can be. */
  constructor(words, choose) {
    Object.assign(this, { words, choose });
    this.element = make("div", "queues");
    this.element.setAttribute("role", choose ? "group" : "list");
    this.element.setAttribute("aria-label", words.queues);
    this.element.hidden = true;
  }

  /** Take what a message brings of queues. */
  take(message) {
    if ("names" in message) this.#names = message.names;
    if ("queues" in message) this.#told = message.queues;
    if ("targets" in message) this.#targets = message.targets;
    if ("ready" in message) this.#ready = message.ready;
    if ("over" in message) this.#over = message.over;
    if ("names" in message || "queues" in message) this.#arrange();
  }

  #arrange() {
    const name = (queue) => this.#names[queue] ?? queue;
    const codes = [...new Set([...Object.keys(this.#names), ...Object.keys(this.#told?.queues ?? {})])];
    codes.sort((a, b) => collator.compare(name(a), name(b)));
    const before = this.#tiles;
    this.#tiles = new Map(codes.map((queue) => [queue, before.get(queue) ?? this.#make(queue)]));
    for (const [queue, tile] of before) if (!this.#tiles.has(queue)) tile.element.remove();
    for (const [queue, tile] of this.#tiles) write(tile.name, name(queue));
    place(this.element, [...this.#tiles.values()].map((tile) => tile.element));
    this.element.hidden = !codes.length;
    if (before.size !== codes.length) this.fit();
  }

  /** Their size, where they have another number or place. */
  fit(isLarge = this.#isLarge) {
    this.#isLarge = isLarge;
    fitQueues(this.element, isLarge);
  }

  #make(queue) {
    const { words } = this;
    const element = make(this.choose ? "button" : "div", "queue-tile");
    element.dataset.queue = queue;
    if (this.choose) {
      element.type = "button";
      element.addEventListener("click", () => this.choose(queue));
    } else {
      element.setAttribute("role", "listitem");
    }
    const name = make("span", "queue-name");
    const facts = Object.fromEntries(Object.keys(FACTS).map((key) => [key, this.#fact(key)]));
    element.append(name, make("span", "facts", ...Object.values(facts).map((one) => one.element)));
    return { element, name, facts };
  }

  #fact(key) {
    const element = make("span", "fact");
    element.dataset.fact = key;
    const [word, , said] = FACTS[key];
    const sign = make("span", "sign", icon("warn"), make("span", "unseen", this.words[said] ?? ""));
    const figure = make("b", "", "—");
    sign.hidden = true;
    const named = make("small", "", this.words[word]);
    element.append(sign, figure, " ", named, " ");
    return { element, sign, figure, named };
  }

  /** Write all figures; `chosen`: the queue that narrows the floor. */
  say(now, chosen) {
    const told = this.#told;
    const isOld = Boolean(told) && now - told.heard > 1000 * SILENT_S;
    this.element.toggleAttribute("data-old", isOld);
    for (const [queue, tile] of this.#tiles) {
      const its = told?.queues[queue];
      this.#write(tile, queue, its, isOld ? told.heard : now);
      tile.element.toggleAttribute("data-none", !its);
      if (this.choose) {
        const pressed = String(queue === chosen);
        if (tile.element.getAttribute("aria-pressed") !== pressed) tile.element.setAttribute("aria-pressed", pressed);
      }
    }
  }

  #write({ element, facts }, queue, its, now) {
    const { words } = this;
    const level = its?.service_level[its.variant] ?? null;
    const target = this.#targets[queue] ?? this.#targets[""];
    const ready = this.#ready[queue];
    write(facts.waiting.figure, its ? count(its.waiting) : "—");
    write(facts.longest.figure, its?.longest_since ? duration(now - its.longest_since) : "—");
    write(facts.abandoned.figure, its ? count(its.abandoned) : "—");
    write(facts.level.figure, percent(level));
    write(facts.ready.figure, ready === undefined ? "—" : count(ready));
    const aimed = fill(words["queue.level"], { target: percent(target) });
    write(facts.level.named, target === undefined ? words.level : aimed);
    for (const [key, { element: fact, sign }] of Object.entries(facts)) {
      const missed = key === "level" && level !== null && target !== undefined && level < target;
      const isOver = missed || Boolean(this.#over[queue]?.includes(FACTS[key][1]));
      fact.toggleAttribute("data-over", isOver);
      if (sign.hidden === isOver) sign.hidden = !isOver;
    }
    element.toggleAttribute("data-alert", Boolean(this.#over[queue]));
  }
}
