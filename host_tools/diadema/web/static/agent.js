/* An agent's day: figures beside their targets, the three tracks, calls, reasons, marks, protocol and
   voice. Every number opens the events it was made of. */

import { duration, hourOf } from "./clock.js";
import { Events } from "./events.js";
import { count, percent } from "./numbers.js";
import { Reprimands } from "./reprimands.js";
import { Timeline, reach } from "./timeline.js";
import { fill } from "./tile.js";

const AGAIN_MS = 15_000;

export function mount(root, { words, agent, day, zone, language }) {
  const page = new AgentPage(root, words, agent, day, zone, language);
  page.load();
  return () => page.stop();
}

function make(name, className, parent, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.append(text);
  parent?.append(element);
  return element;
}

class AgentPage {
  #again = 0;

  constructor(root, words, agent, day, zone, language) {
    Object.assign(this, { root, words, agent, day });
    this.hour = hourOf(zone, language, false);
    this.second = hourOf(zone, language, true);
    this.status = make("p", "status", root, words.loading);
    this.status.setAttribute("role", "status");
    const moment = new Intl.DateTimeFormat(language, {
      dateStyle: "short", timeStyle: "short", timeZone: zone, hourCycle: "h23",
    });
    this.reprimands = new Reprimands(words, (ms) => moment.format(ms), () => this.load());
    root.append(this.reprimands.element);
    this.events = new Events(words, this.second);
    this.figures = make("dl", "figures", root);
    this.timeline = new Timeline(words, {
      open: (bar) => this.#openBar(bar), word: (bar) => this.#word(bar),
      named: (state) => this.words[`state.${state}`] ?? state, hour: this.hour,
    });
    root.append(this.timeline.element);
    this.parts = make("div", "parts", root);
    root.append(this.events.dialog);
    this.resizing = new ResizeObserver(() => this.shown && this.#drawTracks());
    this.resizing.observe(root);
  }

  stop() {
    clearTimeout(this.#again);
    this.resizing.disconnect();
    this.root.replaceChildren();
  }

  async load() {
    clearTimeout(this.#again);
    try {
      this.shown = await get(`/api/v1/agents/${encodeURIComponent(this.agent)}/page?day=${this.day}`);
      this.#draw();
    } catch (error) {
      const text = error.detail ?? this.words.failed;
      this.status.textContent = this.shown ? `${text} ${this.words.older}` : text;
      this.root.toggleAttribute("data-stale", Boolean(this.shown));
    }
    if (!this.shown || this.shown.cut.at_ms < this.shown.end) {
      this.#again = setTimeout(() => this.load(), AGAIN_MS);
    }
  }

  #draw() {
    const { shown, words } = this;
    this.root.removeAttribute("data-stale");
    const owing = shown.cut.owing.length;
    this.status.textContent =
      fill(words.cut, { time: this.second(shown.cut.at_ms), position: count(shown.cut.position) }) +
      (owing ? ` · ${fill(words.owing, { n: owing })}` : "");
    this.reprimands.draw(shown.reprimands, shown.own);
    this.#figures();
    this.#drawTracks();
    this.parts.replaceChildren();
    this.#calls();
    this.#reasons();
    this.#attendance();
    this.#protocol();
    this.#voice();
  }

  #drawTracks() {
    const { shown } = this;
    const wide = this.timeline.element.clientWidth;
    if (this.drawn === shown && this.wide === wide) return;
    Object.assign(this, { drawn: shown, wide });
    const exceptions = shown.exceptions.map((one) => ({
      ...one, state: one.excuse === null ? "out" : "excused",
    }));
    this.timeline.draw({ ...shown, exceptions }, ...reach(shown, shown.start, shown.end));
  }

  #figures() {
    const { figures: f, targets } = this.shown;
    this.figures.replaceChildren();
    const add = (name, value, target, part) => {
      const box = make("div", "figure", this.figures);
      make("dt", "", box, this.words[`figure.${name}`]);
      const dd = make("dd", "", box);
      const button = make("button", "number", dd, value ?? "—");
      button.type = "button";
      button.addEventListener("click", () => this.#openDay(this.words[`figure.${name}`], part));
      if (target) make("small", "", dd, `${this.words.target} ${target}`);
    };
    const seconds = (s) => (s === null ? null : duration(s * 1000));
    const aim = (name, write) => (targets[name] === undefined ? "" : write(targets[name]));
    add("handled", count(f.handled), "", "contact.answered");
    add("missed", count(f.missed), "", "contact.missed");
    add("aht", seconds(f.aht_s), aim("aht_s", seconds), "wrapup.ended");
    add("talk", seconds(f.talk_mean_s), "", "contact.ended");
    add("hold", seconds(f.hold_mean_s), "", "contact.held");
    add("wrapup", seconds(f.wrap_mean_s), "", "wrapup.ended");
    const most = aim("occupancy_most", percent);
    const band = aim("occupancy", percent) + (most && ` – ${most}`);
    add("occupancy", percent(f.occupancy), band, "presence.changed");
    add("logged", seconds(f.logged_s), "", "session.");
  }

  #section(word, note) {
    const section = make("section", "part", this.parts);
    make("h2", "", section, this.words[word]);
    if (note) make("p", "note", section, note);
    return section;
  }

  #table(section, columns, rows, empty) {
    if (!rows.length) {
      make("p", "empty", section, this.words[empty]);
      return;
    }
    const scroll = make("div", "scroll", section);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", section.querySelector("h2").textContent);
    const table = make("table", "", scroll);
    const head = table.createTHead().insertRow();
    for (const [word, kind] of columns) {
      const cell = make("th", kind, head, this.words[word]);
      cell.scope = "col";
    }
    const body = table.createTBody();
    for (const { cells, open, marks } of rows) {
      const row = body.insertRow();
      if (marks?.some((mark) => mark !== "excused")) row.dataset.marks = marks.join(" ");
      cells.forEach((value, at) => {
        const cell = row.insertCell();
        cell.className = columns[at][1] ?? "";
        if (at === 0 && open) {
          const button = make("button", "number", cell, value);
          button.type = "button";
          button.addEventListener("click", open);
        } else cell.append(value ?? "—");
      });
    }
  }

  #calls() {
    const { words, shown } = this;
    const section = this.#section("calls", fill(words["calls.note"], { n: shown.calls.length }));
    const columns = [
      ["call.start", "time"], ["call.queue"], ["call.outcome"], ["call.ring", "number"],
      ["call.talk", "number"], ["call.hold", "number"], ["call.wrapup", "number"], ["call.code"],
      ["call.marks"],
    ];
    const seconds = (s) => (s === null ? "—" : duration(s * 1000));
    const rows = shown.calls.map((call) => ({
      open: () => this.#openCall(call),
      marks: call.marks,
      cells: [
        call.start === null ? "—" : this.second(call.start),
        [words[`direction.${call.direction}`], call.queue].filter(Boolean).join(" · "),
        words[`outcome.${call.outcome}`] ?? call.outcome,
        seconds(call.ring_s), seconds(call.talk_s), seconds(call.hold_s), seconds(call.wrap_s),
        call.labels.length ? call.labels.join(" › ") : (call.code ?? "—"),
        call.marks.map((mark) => words[`mark.${mark}`] ?? mark).join(", ") || "—",
      ],
    }));
    this.#table(section, columns, rows, "calls.none");
  }

  #reasons() {
    const { words, shown } = this;
    const section = this.#section("reasons");
    const rows = shown.reasons.map(({ reason, label, seconds, system }) => ({
      open: () => this.#openDay(label, "presence.changed"),
      cells: [label ?? words[`reason.${reason}`] ?? reason, words[system ? "by.system" : "by.agent"],
        duration(seconds * 1000)],
    }));
    const columns = [["reason"], ["reason.family"], ["reason.time", "number"]];
    this.#table(section, columns, rows, "reasons.none");
  }

  #attendance() {
    const { words, shown } = this;
    const section = this.#section("attendance", words["attendance.note"]);
    const rows = shown.marks.map((mark) => ({
      cells: [
        mark.utc === null ? "—" : this.second(mark.utc), words[`mark_direction.${mark.direction}`] ?? "—",
        words[`method.${mark.method}`] ?? mark.method, words[`mark_note.${mark.note}`] ?? (mark.note || "—"),
      ],
    }));
    const columns = [["mark.time", "time"], ["mark.direction"], ["mark.method"], ["mark.note"]];
    this.#table(section, columns, rows, "attendance.none");
  }

  #protocol() {
    const { words, shown } = this;
    const section = this.#section("protocol", words["protocol.note"]);
    const rows = shown.protocol.map(({ step, done, block, calls, automatic }) => ({
      cells: [words[`step.${step}`] ?? step, `${done} / ${calls}`, String(block), String(automatic)],
    }));
    const columns = [["step"], ["step.done", "number"], ["step.block", "number"], ["step.automatic", "number"]];
    this.#table(section, columns, rows, "protocol.none");
  }

  #voice() {
    const { words, shown } = this;
    const { voice } = shown;
    const section = this.#section("voice", words["voice.note"]);
    const rows = voice.n
      ? ["agent_ms", "caller_ms", "both_ms", "silence_ms", "longest_silence_ms"].map((name) => ({
          cells: [words[`voice.${name}`], duration(voice[name])],
        })).concat(["interruptions", "clipping"].map((name) => ({
          cells: [words[`voice.${name}`], count(voice[name])],
        })))
      : [];
    this.#table(section, [["voice.what"], ["voice.value", "number"]], rows, "voice.none");
  }

  #word(bar) {
    const { words } = this;
    const state = words[`state.${bar.state}`] ?? bar.state;
    if (bar.state === "absence") return `${state} · ${words[`absence.${bar.reason}`] ?? bar.reason}`;
    if ("did" in bar) return `${state} · ${this.#instead(bar)}`;
    const label = bar.reason ? (this.shown.labels[bar.reason] ?? words[`reason.${bar.reason}`] ?? bar.reason) : "";
    const by = bar.by && bar.by !== "agent" ? (bar.who ?? words[`by.${bar.by}`]) : "";
    return [state, label, by].filter(Boolean).join(" · ");
  }

  /** What was planned, what was done, and who excused it. */
  #instead({ planned, did, excuse }) {
    const { words } = this;
    const named = (code) => words[`did.${code}`] ?? this.shown.labels[code] ?? words[`reason.${code}`] ?? code;
    const said = fill(words.instead, { planned: named(planned ?? "work"), did: named(did) });
    if (excuse === null) return said;
    const why = excuse === "productive" ? named(did) : (words[`excuse.${excuse}`] ?? excuse);
    return `${said} · ${fill(words.excused_by, { why })}`;
  }

  #openBar(bar) {
    this.events.show(`${this.#word(bar)} · ${this.second(bar.start)}`, () =>
      this.#events(bar.start - 1, bar.end + 1, bar.c));
  }

  #openCall(call) {
    const from = call.start ?? this.shown.start;
    this.events.show(`${this.words.call} ${call.c}`, () => this.#events(from, from + 1, call.c));
  }

  #openDay(title, kind) {
    this.events.show(title, async () =>
      (await this.#events(this.shown.start, this.shown.end)).filter(({ k }) => k.startsWith(kind)));
  }

  #events(from, to, c) {
    const query = new URLSearchParams({ from, to });
    if (c) query.set("c", c);
    return get(`/api/v1/agents/${encodeURIComponent(this.agent)}/events?${query}`);
  }
}

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(path), { detail: body.detail });
  return body;
}
