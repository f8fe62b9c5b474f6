/* Search, team and order above the floor; every change goes into the query and from there on. */

import { fill } from "./tile.js";
import { SORTS } from "./query.js";

function labelled(name, word, control) {
  const label = document.createElement("label");
  label.className = `tool ${name}`;
  const text = document.createElement("span");
  text.append(word);
  label.append(text, control);
  return label;
}

function select(options, value) {
  const control = document.createElement("select");
  for (const [key, word] of options) control.append(new Option(word, key, false, key === value));
  return control;
}

export class Tools {
  #teams = "";

  constructor(words, query, changed) {
    this.words = words;
    this.query = query;
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
    this.search.addEventListener("input", () => changed(() => (query.text = this.search.value.trim())));
    this.team = select([["", words["team.all"]]], "");
    this.team.addEventListener("change", () => changed(() => (query.team = this.team.value)));
    this.teamTool = labelled("team", words.team, this.team);
    this.teamTool.hidden = true;
    this.sort = select(SORTS.map((key) => [key, words[`sort.${key}`]]), query.sort);
    this.sort.addEventListener("change", () => changed(() => (query.sort = this.sort.value)));
    this.shown = document.createElement("span");
    this.shown.className = "shown";
    this.shown.setAttribute("role", "status");
    this.clear = document.createElement("button");
    this.clear.type = "button";
    this.clear.className = "quiet clear";
    this.clear.append(words.clear);
    this.clear.addEventListener("click", () => {
      changed(() => query.clear());
      this.search.value = this.team.value = "";
      this.search.focus();
    });
    const sort = labelled("sort", words.sort, this.sort);
    this.element.append(this.search, this.teamTool, sort, this.shown, this.clear);
  }

  /** Offer the teams there are; one team alone is no choice. */
  offerTeams(tiles) {
    const teams = [...new Set([...tiles].map((tile) => tile.row.team).filter(Boolean))].sort();
    if (teams.join("\n") === this.#teams) return;
    this.#teams = teams.join("\n");
    const options = [["", this.words["team.all"]], ...teams.map((team) => [team, team])];
    this.team.replaceChildren(...options.map(([key, word]) => new Option(word, key)));
    this.team.value = teams.includes(this.query.team) ? this.query.team : "";
    this.teamTool.hidden = teams.length < 2;
  }

  say(shown, all) {
    const text = this.query.isNarrow ? fill(this.words.shown, { n: shown, all }) : "";
    if (this.shown.textContent !== text) this.shown.textContent = text;
    this.clear.hidden = !this.query.isNarrow;
  }
}
