/* One line of the list of faults, and how times are said there: since when, how long is left. */

import { make } from "./form.js";
import { draw, icon } from "./icons.js";
import { fill } from "./tile.js";

const MINUTE_MS = 60_000;
const SIGNS = { open: "warn", taken: "wrapup", resolved: "ready", closed: "logged_out" };
const ORDER = ["open", "taken", "resolved", "closed"];

export class Times {
  /** `hour` and `day`, which turn UTC ms into the site's, are set from outside. */
  constructor(words) {
    this.words = words;
    this.now = 0;
  }

  /** An hour of today, or of another day with it. */
  at(utc) {
    if (utc === null) return "—";
    const same = this.day(utc) === this.day(this.now || utc);
    return same ? this.hour(utc) : `${this.day(utc)} ${this.hour(utc)}`;
  }

  since(utc) {
    return fill(this.words.since, { time: this.at(utc) });
  }

  /** «2 h 10 min». */
  span(ms) {
    const minutes = Math.floor(ms / MINUTE_MS);
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    const key = days ? "d" : hours ? "h" : minutes ? "m" : "s";
    return fill(this.words[`span.${key}`], { d: days, h: days ? hours % 24 : hours, m: minutes % 60 });
  }

  /** What is left, or by how much it is late; "" where there is no limit. */
  due({ state, due }) {
    if (due === null) return "";
    const what = state === "open" ? "accept" : "solve";
    const time = this.span(Math.abs(due - this.now));
    return fill(this.words[due < this.now ? `late.${what}` : `due.${what}`], { time });
  }
}

/** «A-01, A-02 y 3 más». */
export function seatsOf(words, { seats, count }) {
  if (!count) return words["seats.none"];
  const said = seats.join(", ");
  const rest = count - seats.length;
  const names = rest ? fill(words.and_more, { names: said, n: rest }) : said;
  return fill(words[count === 1 ? "seats.one" : "seats.n"], { n: count, names });
}

/** The severity's number on its colour, with its word for ears. */
export function severityOf(words, severity) {
  const sign = make("span", "severity", make("span", "", severity === null ? "?" : String(severity)));
  const said = severity === null ? words["severity.unknown"] : fill(words["severity.n"], { n: severity });
  sign.firstElementChild.setAttribute("aria-hidden", "true");
  sign.append(make("span", "unseen", `${said}. `));
  sign.dataset.severity = String(severity ?? "");
  sign.title = words[`severity.${severity}`] ?? words["severity.unknown"];
  return sign;
}

export function stateOf(words, { state, outcome }) {
  const word = words[`state.${state}`];
  const said = outcome ? `${word}: ${words[`outcome.${outcome}`]}` : word;
  const shape = icon("logged_out");
  draw(shape, SIGNS[state]);
  const sign = make("span", "situation", shape, said);
  sign.dataset.situation = state;
  return sign;
}

export class Row {
  #said = "";

  constructor(words, times) {
    Object.assign(this, { words, times });
    this.link = make("a", "fault");
    this.element = make("li", "", this.link);
    this.due = make("span", "due");
    this.age = make("span");
  }

  /** `where`: its area and part, as people call them. */
  update(row, where) {
    this.row = row;
    const said = JSON.stringify([row, where]);
    if (said === this.#said) return;
    this.#said = said;
    const { words, times } = this;
    const query = new URLSearchParams(location.search);
    query.set("ticket", row.ticket);
    this.link.href = `?${query}`;
    this.link.dataset.ticket = row.ticket;
    this.link.dataset.severity = String(row.severity ?? "");
    this.link.dataset.situation = row.state;
    const title = make("b", "title", row.title || where);
    const head = make("span", "row", title, stateOf(words, row));
    const place = make("span", "row soft", make("span", "", where), make("span", "seats", seatsOf(words, row)));
    if (row.mass) place.prepend(make("span", "mass", words.mass));
    const facts = [this.age];
    if (row.who) facts.push(make("span", "", fill(words.with, row)));
    else if (row.state !== "open" && row.state !== "closed") facts.push(make("span", "", words["with.somebody"]));
    if (row.external) facts.push(make("span", "", row.external));
    if (row.reopened) {
      const word = row.reopened === 1 ? "reopened.one" : "reopened.n";
      facts.push(make("span", "again", fill(words[word], { n: row.reopened })));
    }
    const foot = make("span", "row dues", make("span", "facts", ...facts), this.due);
    this.link.replaceChildren(severityOf(words, row.severity), make("span", "lines", head, place, foot));
    this.text = [row.title, where, row.seats.join(" "), row.external, row.who, row.ticket]
      .filter(Boolean).join(" ").toLocaleLowerCase();
    this.tick(times.now);
  }

  mark(isOpen) {
    if (isOpen) this.link.setAttribute("aria-current", "true");
    else this.link.removeAttribute("aria-current");
  }

  tick(now) {
    const { words, times, row } = this;
    times.now = now;
    const late = row.due !== null && row.due < now;
    const write = (element, text) => {
      if (element.textContent !== text) element.textContent = text;
    };
    const end = row.closed ?? row.resolved;
    const ended = row.closed === null ? "resolved.at" : "closed.at";
    write(this.due, end === null ? times.due(row) : fill(words[ended], { time: times.at(end) }));
    this.due.toggleAttribute("data-late", late);
    const since = { time: times.at(row.utc), ago: times.span(Math.max(0, now - row.utc)) };
    write(this.age, fill(words[end === null ? "since.ago" : "since"], since));
  }

  /** What goes on before what is mended, then the gravest, then what is due first. */
  compare(other) {
    const rank = ({ state, severity, due, utc }) => {
      const place = Math.max(0, ORDER.indexOf(state) - 1);
      return state === "closed" ? [place, -utc] : [place, severity ?? 3, due ?? Infinity, utc];
    };
    const [mine, its] = [rank(this.row), rank(other.row)];
    const at = mine.findIndex((value, index) => value !== its[index]);
    return at < 0 ? 0 : mine[at] < its[at] ? -1 : 1;
  }
}
