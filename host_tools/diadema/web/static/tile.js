/* One agent's tile: made once, then written to only where something changed. */

import { duration } from "./clock.js";
import { draw, icon } from "./icons.js";

function box(name, parent) {
  const element = document.createElement("span");
  element.className = name;
  parent.append(element);
  return element;
}

function span(name, parent) {
  const element = box(name, parent);
  element.append("");
  return element;
}

function write(element, text) {
  const node = element.firstChild;
  if (node.data !== text) node.data = text;
}

function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export class Tile {
  /** `row` is an object of the stream's columns; `words` the page's catalogue. */
  constructor(row, words, isWall) {
    this.row = row;
    this.words = words;
    this.isWall = isWall;
    const element = (this.element = document.createElement("div"));
    element.className = "tile";
    element.setAttribute("role", "listitem");
    element.tabIndex = -1;
    element.tile = this;
    box("badge", element).append((this.shape = icon("logged_out")));
    const head = box("line head", element);
    this.name = span("name", head);
    this.clock = span("clock", head);
    const body = box("line body", element);
    this.state = span("state", body);
    this.link = box("flag link", body);
    this.link.append(icon("lost"));
    this.linkText = span("", this.link);
    if (isWall) return;
    const foot = box("line foot", element);
    this.place = span("place", foot);
    this.warn = box("flag warn", foot);
    this.warn.append(icon("warn"));
    this.warnText = span("", this.warn);
    this.contacts = span("figure", foot);
    this.contactsWord = span("long", this.contacts);
    span("short", this.contacts).append(words["contacts.short"]);
    this.tmo = span("figure", foot);
    this.out = box("out", element);
    this.out.append(icon("late"));
    span("", this.out).append(words.out);
    this.outTime = span("time", this.out);
    show(this.out, false);
  }

  get title() {
    return this.isWall ? this.row.alias : this.row.name;
  }

  /** Why: the site's own label, else our word for what the system did, else its code. */
  get reason() {
    const { state, label, reason } = this.row;
    if (state !== "not_ready") return "";
    return label ?? (reason ? (this.words[`reason.${reason}`] ?? reason) : "");
  }

  get stateWord() {
    return this.words[`state.${this.row.state}`] ?? this.row.state;
  }

  /** The state as it is written, with what it is about. */
  get stateText() {
    return this.state.textContent;
  }

  /** Whether its link is gone while somebody is logged in. A lost link is not a logout. */
  get isLost() {
    return this.row.link === "lost" && this.row.state !== "logged_out";
  }

  /** Write the row's values. The event's stamp goes last: who waits for it sees the rest done. */
  update(row, key, now) {
    this.row = row;
    const { element, words } = this;
    const data = element.dataset;
    if (data.a !== key) data.a = key;
    if (data.state !== row.state) {
      data.state = row.state;
      draw(this.shape, row.state);
    }
    write(this.name, this.title);
    const detail = this.reason || (row.state === "logged_out" ? "" : (row.queue_name ?? ""));
    write(this.state, detail ? `${this.stateWord} · ${detail}` : this.stateWord);
    const link = this.isLost ? "lost" : row.link === "late" ? "late" : "up";
    if (data.link !== link) {
      data.link = link;
      draw(this.link.firstChild, link);
      show(this.link, link === "lost" || (link === "late" && !this.isWall));
      write(this.linkText, words[`link.${link}`] ?? "");
    }
    if (!this.isWall) this.#writeFoot(row);
    this.tick(now);
    data.t = String((this.isWall ? row.since : row.t) ?? "");
  }

  #writeFoot(row) {
    const { words } = this;
    const alert = Boolean(row.help || row.warn || row.fault);
    this.element.toggleAttribute("data-warn", alert);
    show(this.warn, alert);
    show(this.contacts, row.state !== "logged_out" || row.contacts > 0);
    write(this.contacts, `${row.contacts}\u00a0`);
    write(this.contactsWord, row.contacts === 1 ? words["contacts.one"] : words.contacts);
    show(this.tmo, row.tmo !== null);
    write(this.tmo, row.tmo === null ? "" : `${words.tmo} ${duration(row.tmo * 1000)}`);
    show(this.out, Number.isFinite(row.out));
  }

  /** What somebody should come for: who waits for help first, then a doubt, then a fault. */
  #alert(now) {
    const { row, words } = this;
    if (row.help) return this.#waiting("help", row.help, now);
    if (row.warn) return words[`warn.${row.warn}`] ?? words["warn.other"];
    return row.fault ? this.#waiting("fault", row.fault, now) : "";
  }

  /** Since when, and who has accepted it, else what it is about. */
  #waiting(kind, [since, by, topic], now) {
    const time = since ? ` ${duration(now - since)}` : "";
    return [this.words[kind] + time, by ?? topic].filter(Boolean).join(" · ");
  }

  /** Write what time alone changes. */
  tick(now) {
    const { row, words } = this;
    write(this.clock, row.since === null ? "" : duration(now - row.since));
    if (this.isWall) return;
    const heard = this.isLost && row.t ? fill(words["link.last"], { age: duration(now - row.t) }) : "";
    write(this.outTime, this.out.hidden ? "" : duration(now - row.out));
    if (!this.warn.hidden) write(this.warnText, this.#alert(now));
    const beside = this.warn.hidden ? heard || row.c : "";
    write(this.place, [row.seat, beside].filter(Boolean).join(" · "));
  }

  /** The whole tile as one sentence, for a screen reader. */
  describe() {
    const { row, words } = this;
    const parts = [this.title];
    if (row.seat) parts.push(`${words.seat} ${row.seat}`);
    parts.push(this.state.textContent.replace(" · ", ", "), this.clock.textContent);
    if (row.c) parts.push(`${words.call} ${row.c}`);
    if (!this.isWall) parts.push(`${row.contacts} ${this.contactsWord.textContent}`, this.tmo.textContent);
    if (!this.link.hidden) parts.push(this.linkText.textContent);
    if (!this.warn?.hidden) parts.push(this.warnText?.textContent);
    if (this.out && !this.out.hidden) parts.push(`${words.out} ${this.outTime.textContent}`);
    return parts.filter(Boolean).join(", ");
  }
}
