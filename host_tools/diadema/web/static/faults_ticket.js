/* One ticket opened: what it is, whose it is, what it cost so far, what can be done about it, its
   reports, notes and story. It is read again when its row changes. */

import { ask } from "./ask.js";
import { duration } from "./clock.js";
import { actions, Forms } from "./faults_forms.js";
import { seatsOf, severityOf, stateOf } from "./faults_row.js";
import { button, make } from "./form.js";
import { fill } from "./tile.js";

/** What is offered in each state, by page. */
const OFFERED = {
  faults: {
    open: ["take", "assign", "note", "resolve", "change", "reject", "duplicate"],
    taken: ["assign", "note", "resolve", "change", "reject", "duplicate"],
    resolved: ["note", "reopen"],
    closed: ["reopen"],
  },
  area: {
    open: ["take", "note", "external", "resolve"],
    taken: ["note", "external", "resolve"],
    resolved: ["note"],
    closed: [],
  },
};

export class Ticket {
  #id = null;
  #listed = null; // as the list has it
  #row = null;
  #whole = null;
  #asked = "";
  #drawn = "";
  #back = null; // what a dialog was opened by

  /** `ways`: `times`, `clock`, `place(row)`, `others(id)`, `close()`. */
  constructor(words, options, ways) {
    Object.assign(this, { words, options, ways });
    this.head = make("h2");
    this.head.id = "ticket-title";
    this.head.tabIndex = -1;
    this.back = button("quiet back", `‹ ${words.back}`, ways.close);
    this.signs = make("p", "signs");
    this.due = make("p", "due");
    this.told = make("p", "told");
    this.told.setAttribute("role", "status");
    this.facts = make("dl", "facts");
    this.acts = make("div", "choices");
    this.acts.setAttribute("role", "group");
    this.acts.setAttribute("aria-label", words.do);
    this.lost = make("b");
    this.lostHint = make("p", "note");
    this.cost = make("section", "cost", make("h3", "", words["about.lost"]), this.lost, this.lostHint);
    this.persons = make("section", "persons");
    this.reports = make("section", "reports");
    this.notes = make("section", "notes");
    this.story = make("section", "story");
    this.paper = make("a", "", words.document);
    this.papers = make("p", "papers", this.paper);
    this.papers.hidden = options.desk === "area";
    this.body = make("div", "parts", this.cost, this.notes, this.story, this.persons, this.reports);
    const top = make("header", "", this.back, this.head, this.signs, this.due);
    this.article = make("article", "ticket", top, this.acts, this.facts, this.body, this.papers);
    this.article.setAttribute("aria-labelledby", this.head.id);
    this.article.hidden = true;
    this.forms = new Forms(words, options, {
      ...ways,
      done: (said) => this.#say(said),
    });
    this.forms.element.addEventListener("close", () => this.#back?.isConnected && this.#back.focus());
    this.element = make("div", "opened", this.article, this.forms.element);
  }

  focus() {
    this.head.focus();
  }

  /** A failure that nobody pressed, or that this report is the first of. */
  enter(report = null) {
    this.#back = document.activeElement;
    this.forms.open("open", null, report);
  }

  /** A report, of the ticket `row` or of none, is to be part of another one. */
  join(report, from, row = null) {
    if (!this.ways.others(row?.ticket).length) return this.#say(this.words.no_other);
    this.#back = from;
    this.forms.open("link", row, report);
  }

  /** `row`: as the list has it; none of one that is not there. */
  show(id, row) {
    const isOther = id !== this.#id;
    if (isOther) {
      this.#whole = null;
      this.#asked = "";
      if (id) this.#say("");
    }
    this.#id = id;
    this.#listed = row ?? null;
    this.#row = row ?? this.#whole;
    this.article.hidden = !this.#row;
    if (!id) return;
    if (this.#row) this.#draw();
    const asked = `${id} ${JSON.stringify(row)}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#read(id, asked);
  }

  async #read(id, asked) {
    try {
      const whole = await ask("GET", `/api/v1/tickets/${encodeURIComponent(id)}`);
      if (asked !== this.#asked) return;
      this.#whole = whole;
      this.#row = this.#listed ?? whole;
      this.article.hidden = false;
      this.#draw();
    } catch (error) {
      if (asked !== this.#asked) return;
      const { words } = this;
      this.#say(error.status === 404 ? words.gone : fill(words.read_failed, { detail: error.detail ?? error.message }));
      if (error.status !== 404) return;
      this.#row = this.#whole = null;
      this.article.hidden = true;
    }
  }

  #say(text) {
    this.told.textContent = text;
  }

  #draw() {
    const { words, ways } = this;
    const row = this.#row;
    const whole = this.#whole;
    const drawn = JSON.stringify([row, whole]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.head.textContent = row.title || ways.place(row);
    const grade = words[`severity.${row.severity}`] ?? words["severity.unknown"];
    const signs = [make("span", "grade", severityOf(words, row.severity), make("span", "", grade))];
    if (row.mass) signs.push(make("span", "mass", words.mass));
    this.signs.replaceChildren(stateOf(words, row), ...signs);
    const paper = new URLSearchParams({ kind: "constancia", scope: `ticket:${row.ticket}`, lang: document.documentElement.lang });
    this.paper.href = `/ui/reports?${paper}`;
    this.#offer();
    this.#drawFacts();
    this.cost.hidden = !row.lost;
    this.persons.hidden = !whole?.persons;
    this.reports.hidden = !whole?.reported;
    this.notes.hidden = this.story.hidden = !whole;
    if (whole) {
      this.#drawReports(whole.reported);
      this.#drawNotes(whole.notes);
      this.#drawStory(whole.story);
    }
    this.tick(ways.clock.known ? ways.clock.now() : row.utc);
  }

  #offer() {
    const { words, options } = this;
    const row = this.#row;
    const offered = OFFERED[options.desk][row.state];
    const said = offered.join();
    if (this.acts.dataset.offered === `${row.ticket} ${said}`) return;
    this.acts.dataset.offered = `${row.ticket} ${said}`;
    const first = ["take", "resolve"].find((kind) => offered.includes(kind));
    this.acts.replaceChildren(...offered.map((kind) =>
      button(kind === first ? "choice main" : "choice", words[`do.${kind}`], (event) => this.#act(kind, event.currentTarget))));
    this.acts.hidden = !offered.length;
  }

  #act(kind, from) {
    if (kind === "take") return this.#take();
    if (kind === "duplicate" && !this.ways.others(this.#id).length) return this.#say(this.words.no_other);
    this.#back = from;
    this.forms.open(kind, this.#row);
  }

  async #take() {
    const { words } = this;
    const what = words["do.take"];
    try {
      await ask("POST", actions(this.#id), { action: "ticket_taken" });
      this.#say(fill(words.said, { what }));
      this.focus(); // the button goes
    } catch (error) {
      this.#say(fill(words.failed, { what, detail: error.detail ?? error.message }));
    }
  }

  #drawFacts() {
    const { words, ways } = this;
    const row = this.#row;
    const whole = this.#whole ?? row;
    const other = whole.other && make("a", "", whole.other);
    if (other) {
      other.dataset.ticket = whole.other;
      other.href = `?ticket=${whole.other}`;
    }
    const facts = {
      place: ways.place(row),
      seats: seatsOf(words, whole),
      since: ways.times.at(row.utc),
      who: row.who ?? (row.state === "open" ? words["about.nobody"] : this.options.desk === "area" ? words["with.somebody"] : null),
      external: row.external,
      cause: whole.cause,
      fix: whole.fix,
      reason: whole.reason,
      other,
    };
    this.facts.replaceChildren(...Object.entries(facts).filter(([, said]) => said).map(([key, said]) =>
      make("div", "", make("dt", "", words[`about.${key}`]), make("dd", "", said))));
  }

  #section(section, key, ...children) {
    section.replaceChildren(make("h3", "", this.words[key]), ...children);
  }

  #drawReports(reported) {
    if (!reported) return;
    const { words, ways } = this;
    const mayMove = this.#row.state !== "closed";
    const lines = reported.map((report) => {
      const move = button("choice", words["report.move"], () => this.join(report, move, this.#row));
      move.setAttribute("aria-label", fill(words["report.move.of"], report));
      const who = report.name ? `${report.seat} · ${report.name}` : report.seat;
      const state = make("span", "", words[`report.${report.state}`]);
      state.dataset.report = report.state;
      return make("li", "", make("b", "", who), make("span", "soft", ways.times.since(report.utc)), state, ...(mayMove ? [move] : []));
    });
    const list = lines.length ? make("ul", "", ...lines) : make("p", "soft", words["reports.none"]);
    this.#section(this.reports, "reports", list);
  }

  #drawNotes(notes) {
    const { words, ways } = this;
    const lines = notes.map((note) =>
      make("li", "", make("p", "soft", this.#by(note)), make("p", "text", note.text)));
    this.#section(this.notes, "notes", lines.length ? make("ul", "", ...lines) : make("p", "soft", words["notes.none"]));
  }

  /** When, and who where that is told. */
  #by({ utc, who }) {
    const { words } = this;
    const time = this.ways.times.at(utc);
    return who ? fill(words["story.by"], { time, who: who === "hub" ? words["story.hub"] : who }) : time;
  }

  #drawStory(story) {
    const lines = story.map((step) => {
      const said = make("p", "", this.#told(step));
      const line = make("li", "", said, ...this.#more(step).map((text) => make("p", "soft", text)), make("p", "soft", this.#by(step)));
      line.dataset.kind = step.kind;
      return line;
    });
    this.#section(this.story, "story", make("ol", "", ...lines));
  }

  #told(step) {
    const { words, ways } = this;
    const names = step.seats.join(", ");
    const changed = [];
    if (step.severity !== null) changed.push(fill(words["severity.n"], { n: step.severity }));
    if (step.area) changed.push(ways.place({ area: step.area }));
    if (step.external) changed.push(fill(words["story.external"], step));
    const values = {
      names,
      n: step.seats.length,
      to: step.to ?? words["with.somebody"],
      what: changed.join(", "),
      cause: step.cause,
      outcome: words[`outcome.${step.outcome}`],
    };
    return fill(words[step.seats.length > 1 ? "story.linked.n" : `story.${step.kind}`], values);
  }

  #more(step) {
    const { words, ways } = this;
    const said = [];
    if (step.fix) said.push(fill(words["story.fix"], step));
    if (step.reason) said.push(fill(words["story.reason"], step));
    if (step.external && step.kind !== "changed") said.push(fill(words["story.external"], step));
    if (step.due) said.push(fill(words["story.due"], { time: ways.times.at(step.due) }));
    return said;
  }

  /** Write what time alone changes. */
  tick(now) {
    const row = this.#row;
    if (!this.#id || !row) return;
    const { words, ways } = this;
    const write = (element, text) => {
      if (element.textContent !== text) element.textContent = text;
    };
    write(this.due, ways.times.due(row));
    this.due.toggleAttribute("data-late", row.due !== null && row.due < now);
    if (!row.lost) return;
    const [over, running, since] = row.lost;
    write(this.lost, duration(over + running * now - since));
    write(this.lostHint, fill(words[running ? "about.lost.hint" : "about.lost.over"], { n: running }));
    this.#drawPersons(now);
  }

  #drawPersons(now) {
    const persons = this.#whole?.persons;
    if (!persons) return;
    const said = persons.map(({ name, ms, since }) => [name, duration(since === null ? ms : ms + now - since)]);
    const text = JSON.stringify(said);
    if (this.persons.dataset.said === text) return;
    this.persons.dataset.said = text;
    const lines = said.map(([name, time]) => make("div", "", make("dt", "", name), make("dd", "", time)));
    this.#section(this.persons, "persons", make("dl", "", ...lines));
  }
}
