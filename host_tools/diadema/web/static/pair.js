/* Two evaluations of one call, item by item: what each monitor answered and noted, and what the
   coordinator decides where they differ. */

import { field, make, select } from "./form.js";
import { codeOf, Judging, points } from "./judging.js";
import { fill } from "./tile.js";

const SIDES = ["A", "B"];

class PairPage extends Judging {
  constructor(root, { pair, words, language }) {
    super(root, words, `/api/v1/quality/pairs/${pair.q}`, pair);
    Object.assign(this, { pair, language });
    this.open = pair.differs && !pair.decided;
    this.answers = {};
    const scores = make("p", "pair-scores");
    for (const [at, side] of pair.sides.entries()) {
      scores.append(make("span", "", make("b", "", SIDES[at]), ` ${points(side.score)}`));
    }
    if (pair.decided) scores.append(make("span", "", make("b", "", words["pair.stands"]), ` ${points(pair.score)}`));
    root.append(
      make("p", "form-name", `${pair.form.label} · v${pair.form.version}`),
      make("p", "blind", words["pair.blind"]), scores, this.stage, this.error,
      this.#sections(), ...(this.open ? [this.#decider()] : []),
      ...(pair.reason ? [make("p", "decided", fill(words["pair.reason_was"], { reason: pair.reason }))] : []),
      this.#annuller(),
    );
  }

  #sections() {
    const all = make("div", "sections");
    for (const section of this.pair.form.sections) {
      const items = section.items.map((item) => this.#item(item));
      all.append(make("section", "section", make("h2", "", section.label), ...items));
    }
    const general = this.#notes(null);
    if (general) all.append(make("section", "section", make("h2", "", this.words["pair.general"]), general));
    return all;
  }

  #item(item) {
    const { words, pair } = this;
    const given = pair.sides.map((side) => side.answers[item.code]);
    const differs = given[0] !== given[1];
    if (!differs) this.answers[item.code] = given[0];
    const box = make(differs && this.open ? "fieldset" : "div", "item");
    box.toggleAttribute("data-differs", differs);
    box.append(make(differs && this.open ? "legend" : "p", "", ...this.title(item)));
    const both = given.map((answer, at) => [SIDES[at], answer]);
    if (pair.decided && differs) both.push([words["pair.stands"], pair.decided[item.code], "stands"]);
    box.append(this.beside(item, both));
    if (item.checks === "disposition") box.append(this.#codes());
    const notes = this.#notes(item.code);
    if (notes) box.append(notes);
    if (differs && this.open) box.append(this.choices(item, this.answers));
    return box;
  }

  #codes() {
    const { words, pair } = this;
    const list = make("div", "codes");
    for (const [at, side] of pair.sides.entries()) {
      list.append(make("p", "", `${SIDES[at]}: ${fill(words["pair.code"], { code: codeOf(words, side.right_code) })}`));
    }
    list.append(make("p", "", fill(words["code.agent"], { code: codeOf(words, pair.agent_code) })));
    const [one, other] = pair.sides.map((side) => side.right_code.code);
    if (this.open && one !== other) {
      this.code = select([["", words["code.choose"]], ...this.codes()]);
      list.append(field(words["code.right"], this.code));
    }
    return list;
  }

  /** Of both, on an item, or on none. */
  #notes(item) {
    return this.notes(this.pair.sides.flatMap((side, at) =>
      side.notes.filter((note) => (note.item ?? null) === item).map((note) => [SIDES[at], note])));
  }

  #decider() {
    const { words } = this;
    return make("section", "decider", ...this.reasoned("strong", words["pair.send"], "decision", (reason) => {
      const missing = Object.keys(this.pair.sides[0].answers).some((code) => !(code in this.answers));
      if (missing || !reason || this.code?.value === "") return words["pair.incomplete"];
      return { answers: this.answers, ...(this.code && { right_code: this.code.value }) };
    }, location.href));
  }

  #annuller() {
    const { words } = this;
    const which = select([["first", "A"], ["second", "B"]]);
    const parts = this.reasoned("quiet", words["pair.annul.send"], "annulment",
      (reason) => (reason ? { which: which.value } : words["pair.annul.why"]), `/ui/quality?lang=${this.language}`);
    return make(
      "details", "replace", make("summary", "", words["pair.annul"]),
      field(words["pair.annul.which"], which), ...parts,
    );
  }
}

const options = JSON.parse(document.getElementById("options").textContent);
new PairPage(document.getElementById("decide"), options);
