/* The tiles in their lists: one list, or one with a head for each group. */

import { place } from "./place.js";
import { fill } from "./tile.js";

export class Groups {
  #parts = new Map();
  #busy = "true";

  /** What the site calls each queue. */
  queues = {};

  constructor(words, isWall) {
    this.words = words;
    this.label = isWall ? words.agents : `${words.agents}. ${words.open}`;
    this.element = document.createElement("div");
    this.element.className = "groups";
    this.#part("");
  }

  /** The list that there is when nothing is grouped. */
  get first() {
    return this.element.querySelector(".tiles");
  }

  busy(isBusy) {
    this.#busy = String(isBusy);
    for (const part of this.#parts.values()) part.list.setAttribute("aria-busy", this.#busy);
  }

  /** Put `tiles`, which are in order, into the query's groups, moving as few as need be. Gives how
      many are shown. */
  arrange(tiles, query) {
    const found = new Map();
    for (const tile of tiles) {
      const key = query.groupOf(tile);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(tile);
    }
    if (!found.size) found.set("", []);
    let shown = 0;
    let at = this.element.firstElementChild;
    for (const key of [...found.keys()].sort(query.compareGroups)) {
      const part = this.#part(key);
      if (part.section === at) at = at.nextElementSibling;
      else this.element.insertBefore(part.section, at);
      shown += this.#fill(part, found.get(key), key, query.group);
    }
    for (const [key, part] of this.#parts) {
      if (found.has(key)) continue;
      part.section.remove();
      this.#parts.delete(key);
    }
    return shown;
  }

  #fill(part, tiles, key, group) {
    const elements = tiles.map((tile) => tile.element);
    place(part.list, elements);
    const shown = elements.filter((element) => !element.hidden).length;
    const name = this.#name(key, group);
    part.head.hidden = !group;
    const head = group ? fill(this.words["group.head"], { name, n: shown }) : "";
    if (part.head.textContent !== head) part.head.textContent = head;
    part.list.setAttribute("aria-label", group ? name : this.label);
    part.list.hidden = part.section.hidden = !shown;
    return shown;
  }

  #name(key, group) {
    if (group === "state") return this.words[`total.${key}`] ?? key;
    const said = group === "queue" ? (this.queues[key] ?? key) : key;
    return said || this.words[`group.none.${group}`] || "";
  }

  #part(key) {
    let part = this.#parts.get(key);
    if (part) return part;
    part = { section: document.createElement("section") };
    part.section.className = "group";
    part.head = document.createElement("h2");
    part.head.hidden = true;
    part.list = document.createElement("div");
    part.list.className = "tiles";
    part.list.setAttribute("role", "list");
    part.list.setAttribute("aria-label", this.label);
    part.list.setAttribute("aria-busy", this.#busy);
    part.section.append(part.head, part.list);
    this.element.append(part.section);
    this.#parts.set(key, part);
    return part;
  }
}
