/* One call for help: what is known of it, who has it, and what can be done about it with a thumb. */

import { ask } from "./ask.js";
import { duration } from "./clock.js";
import { button, field, input, make, select } from "./form.js";
import { draw, icon } from "./icons.js";
import { Sent } from "./sent.js";
import { fill } from "./tile.js";
import { GAPS, MESSAGE_CHARACTERS, REASON_CHARACTERS } from "./wire.js";

const NEW_MS = 8000;

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

export class HelpCase {
  #solving = false; // the user says that it is solved …
  #ended = false; // … and has said so: what is left is what came of it
  #form = null;

  /** `row` as the stream has it; `away()` is called when one that is over was put away. */
  constructor(words, results, row, away) {
    Object.assign(this, { words, results, away, over: false });
    this.wait = make("time", "clock", "—");
    this.who = make("b", "help-who");
    this.shape = icon("ready");
    this.doing = make("span", "", "");
    this.state = make("p", "help-state", make("i", "badge", this.shape), this.doing);
    this.topic = make("b", "help-topic");
    this.about = make("p", "help-about");
    this.signs = make("p", "help-signs");
    this.status = make("p", "help-status");
    this.buttons = Object.fromEntries([
      ["come", () => this.#try("come", { action: "help", state: "accepted" })],
      ["answer", () => this.#open("answer")],
      ["pass", () => this.#open("pass")],
      ["solve", () => this.#solve()],
    ].map(([name, press]) => [name, button("choice", words[`help.${name}`], press)]));
    this.actions = make("div", "help-do", ...Object.values(this.buttons));
    this.below = make("div", "help-below");
    this.sent = new Sent(words);
    this.element = make(
      "li", "help", make("div", "help-wait", this.wait, make("small", "", words["help.wait"])),
      make("div", "help-at", this.who, this.state),
      make("div", "help-what", this.topic, this.about),
      make("div", "help-said", this.signs, this.status), this.actions, this.below, this.sent.element,
    );
    this.element.dataset.of = row.of.join("/");
    this.#close();
    this.update(row);
  }

  get title() {
    return [this.row.seat, this.row.alias, this.row.topic].filter(Boolean).join(" · ");
  }

  /** Whether nobody has it yet. */
  get waits() {
    return !this.row.by && !this.row.solved && !this.over;
  }

  /** Make it seen as new for a moment. */
  mark() {
    this.element.toggleAttribute("data-new", true);
    setTimeout(() => this.element.removeAttribute("data-new"), NEW_MS);
  }

  update(row) {
    this.row = row;
    const { element, words, buttons } = this;
    write(this.who, [row.seat, row.alias].filter(Boolean).join(" · "));
    write(this.topic, row.topic ?? words["help.no_topic"]);
    this.topic.toggleAttribute("data-none", !row.topic);
    const book = row.playbook && fill(words["help.playbook"], { name: row.playbook, version: row.version });
    write(this.about, [row.queue, row.motive, book].filter(Boolean).join(" · "));
    this.state.hidden = !row.state;
    this.state.dataset.state = row.state ?? "";
    draw(this.shape, row.state);
    const signs = [
      row.urgent && ["urgent", words["help.urgent"]],
      row.level && [`level${row.level}`, words[`help.level.${row.level}`]],
      row.over && ["over", words["help.over"]],
    ].filter(Boolean);
    this.signs.replaceChildren(...signs.map(([name, word]) => {
      const sign = make("span", "help-sign", icon(name === "over" ? "late" : "warn"), word);
      sign.dataset.sign = name;
      return sign;
    }));
    element.dataset.level = row.level;
    element.toggleAttribute("data-held", row.held);
    element.toggleAttribute("data-mine", row.by_me || row.to_me);
    element.toggleAttribute("data-solved", Boolean(row.solved));
    this.actions.hidden = this.#ended || Boolean(row.solved); // the hub takes nothing more of it
    buttons.come.hidden = Boolean(row.by);
    buttons.come.classList.toggle("send", !row.by);
    buttons.solve.classList.toggle("send", row.by_me);
  }

  /** Write what time alone changes. */
  tick(now) {
    const { row, words } = this;
    if (this.over) return;
    write(this.wait, row.since ? duration(now - row.since) : "—");
    const since = row.state_since ? duration(now - row.state_since) : "";
    const state = words[row.held ? "help.held" : `state.${row.state}`] ?? row.state ?? "";
    write(this.doing, `${state} ${since}`.trim());
    write(this.status, this.#said(now));
  }

  #said(now) {
    const { row, words } = this;
    if (this.#ended) return words["help.ended"];
    if (row.solved) return fill(words["help.solved"], { who: row.solved });
    if (row.by) {
      const time = row.by_since ? duration(now - row.by_since) : "—";
      return fill(words[row.by_me ? "help.mine" : "help.theirs"], { who: row.by, time });
    }
    if (row.to) return fill(words[row.to_me ? "help.to_me" : "help.to"], { who: row.to, reason: row.reason });
    return words["help.nobody"];
  }

  /** It is open no longer. Gives whether it stays, for what the user has still to say. */
  end() {
    this.over = true;
    return this.#solving || this.#ended;
  }

  /** Gives the answer, before the station's. */
  #send(word, body) {
    const asking = ask("POST", "/api/v1/help/actions", { ...body, of: this.row.of });
    this.sent.follow(this.words[`help.${word}`], asking);
    return asking;
  }

  /** The same, where nothing follows; what it comes to is said. */
  #try(word, body) {
    this.#send(word, body).catch(() => {});
  }

  // -- forms

  #close() {
    this.#form = null;
    this.below.replaceChildren();
    for (const name of ["answer", "pass"]) this.buttons[name].setAttribute("aria-expanded", "false");
  }

  #open(name) {
    const again = this.#form !== name;
    this.#close();
    if (!again) return;
    this.#form = name;
    this.buttons[name].setAttribute("aria-expanded", "true");
    const form = name === "answer" ? this.#answer() : this.#pass();
    this.below.replaceChildren(form);
    form.querySelector("input, select").focus();
  }

  #formOf(fields, send, ...more) {
    const form = make("form", "order", ...fields, ...more, make("button", "send", this.words["panel.send"]));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    return form;
  }

  /** A short text that the agent reads at the station and confirms by a key. */
  #answer() {
    const { words } = this;
    const text = input(MESSAGE_CHARACTERS);
    const left = make("output", "hint");
    const say = () => write(left, fill(words["help.left"], { n: MESSAGE_CHARACTERS - text.value.length }));
    text.addEventListener("input", say);
    say();
    return this.#formOf([field(words["help.answer.text"], text), left], () => {
      const said = text.value.trim();
      if (!said) return text.focus();
      this.#close();
      return this.#try("answer", { action: "message", text: said, reason: words["help.reason"] });
    });
  }

  #pass() {
    const { words } = this;
    const to = select([]);
    const reason = input(REASON_CHARACTERS);
    const said = make("p", "hint", words["help.pass.loading"]);
    this.#readTakers(to, said);
    return this.#formOf([field(words["help.pass.to"], to), field(words["panel.reason"], reason), said], () => {
      const empty = [to, reason].find((one) => !one.value.trim());
      if (empty) return empty.focus();
      this.#close();
      return this.#try("pass", { action: "help_assigned", to: to.value, reason: reason.value.trim() });
    });
  }

  async #readTakers(to, said) {
    try {
      const found = await ask("GET", `/api/v1/help/${this.row.of.join("/")}/takers`);
      to.append(...found.map((one) => new Option(one.name, one.account)));
      write(said, found.length ? "" : this.words["help.pass.nobody"]);
    } catch (error) {
      write(said, error.detail ?? error.message);
    }
  }

  // -- when it is solved

  async #solve() {
    this.#close();
    this.#solving = true;
    try {
      await this.#send("solve", { action: "help", state: "resolved" });
    } catch {
      if (this.over) this.away();
      return; // why is said already
    } finally {
      this.#solving = false;
    }
    this.#ended = true;
    this.element.toggleAttribute("data-ended", true);
    this.actions.hidden = true;
    write(this.status, this.words["help.ended"]);
    this.#learnt();
  }

  /** What came of it, and what the playbook lacked: each one tap, and none of them needed. */
  #learnt() {
    const { words, row } = this;
    const choices = (word, entries, send) => {
      const group = make("div", "choices", ...entries.map(([code, label]) => {
        const choice = button("choice", label, () => {
          for (const one of group.children) one.setAttribute("aria-pressed", String(one === choice));
          send(code);
        });
        return choice;
      }));
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", word);
      return make("section", "", make("h2", "", word), group);
    };
    const parts = [choices(words["help.result"], this.results, (result) =>
      this.#try("result", { action: "help", state: "resolved", result }))];
    if (row.playbook) {
      const lacked = GAPS.filter((gap) => gap !== "none").map((gap) => [gap, words[`gap.${gap}`]]);
      const about = fill(words["help.gap"], { name: row.playbook });
      parts.push(choices(about, lacked, (gap) =>
        this.#try("noted", { action: "help_noted", gap, playbook: row.playbook, version: row.version })));
    }
    this.below.replaceChildren(...parts, button("choice put-away", words["help.done"], () => this.away()));
  }
}
