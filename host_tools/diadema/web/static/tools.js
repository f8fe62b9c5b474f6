/* Search, team, queue, groups and order above the floor; every change goes into the query and from
   there on. */

import { fill } from "./tile.js";
import { GROUPS, SORTS } from "./query.js";

function labelled(name, word, control) {
  const label = document.createElement("label");
  label.className = `tool ${name}`;
  const text = document.createElement("span");
  text.append(word);
  label.append(text, control);
  return label;
}

function select(options, value, change) {
  const control = document.createElement("select");
  for (const [key, word] of options) control.append(new Option(word, key, false, key === value));
  control.addEventListener("change", () => change(control.value));
  return control;
}

/** A choice among names that come and go; one alone is none. */
class Choice {
  #offered = null;

  constructor(name, word, all, change) {
    this.all = all;
    this.control = select([["", all]], "", change);
    this.element = labelled(name, word, this.control);
    this.element.hidden = true;
  }

  /** `called`: what is shown of a name, where that is another one. */
  offer(names, chosen, called = {}) {
    const said = (one) => called[one] ?? one;
    const sorted = [...new Set(names)].sort((a, b) => said(a).localeCompare(said(b)));
    if (chosen && !sorted.includes(chosen)) sorted.push(chosen); // asked for and not there now
    const offered = sorted.map((one) => `${one}\t${said(one)}`).join("\n");
    if (offered !== this.#offered) {
      this.#offered = offered;
      this.control.replaceChildren(new Option(this.all, ""), ...sorted.map((one) => new Option(said(one), one)));
    }
    if (this.control.value !== chosen) this.control.value = chosen;
    this.element.hidden = sorted.length < 2 && !chosen;
  }
}

export class Tools {
  constructor(words, query, changed) {
    this.words = words;
    this.query = query;
    const put = (key) => (value) => changed(() => (query[key] = value));
    this.element = document.createElement("form");
    this.element.className = "tools";
    this.element.setAttribute("role", "search");
    this.element.setAttribute("aria-label", words.filters);
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.search = document.createElement("input");
    this.search.type = "search";
    this.search.value = query.text;
    this.search.autocomplete = "off";
    this.search.placeholder = words.search;
    this.search.setAttribute("aria-label", words.search);
    this.search.addEventListener("input", () => put("text")(this.search.value.trim()));
    this.team = new Choice("team", words.team, words["team.all"], put("team"));
    this.queue = new Choice("queue", words["queue.tool"], words["queue.all"], put("queue"));
    const group = select(GROUPS.map((key) => [key, words[`group.${key}`]]), query.group, put("group"));
    const sort = select(SORTS.map((key) => [key, words[`sort.${key}`]]), query.sort, put("sort"));
    this.shown = document.createElement("span");
    this.shown.className = "shown";
    this.shown.setAttribute("role", "status");
    this.clear = this.#button("clear", words.clear, () => {
      changed(() => query.clear());
      this.search.value = this.team.control.value = this.queue.control.value = "";
      this.search.focus();
    });
    this.screen = this.#button("screen", words.screen, () => put("screen")(true));
    const unfold = this.#button("unfold", words.unfold, () => {
      const isOpen = this.element.toggleAttribute("data-open");
      unfold.setAttribute("aria-expanded", String(isOpen));
    });
    unfold.setAttribute("aria-expanded", "false");
    this.element.append(
      this.search, unfold, this.team.element, this.queue.element,
      labelled("grouping", words.group, group), labelled("sort", words.sort, sort),
      this.shown, this.clear, this.screen,
    );
  }

  #button(name, word, press) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `quiet ${name}`;
    button.append(word);
    button.addEventListener("click", press);
    return button;
  }

  /** Offer the teams and queues there are. */
  offer(tiles, queues, names) {
    const rows = [...tiles].map((tile) => tile.row);
    this.team.offer(rows.map((row) => row.team).filter(Boolean), this.query.team);
    const named = rows.flatMap((row) => [...(row.queues ?? []), row.queue]).filter(Boolean);
    this.queue.offer([...named, ...queues], this.query.queue, names);
  }

  say(shown, all) {
    const text = this.query.isNarrow ? fill(this.words.shown, { n: shown, all }) : "";
    if (this.shown.textContent !== text) this.shown.textContent = text;
    this.clear.hidden = !this.query.isNarrow;
  }
}
