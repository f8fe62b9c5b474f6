/* One evaluation as it was submitted and as it is now: the coordinator revises it item by item for an
   error, or annuls it, with a reason; what it was stays to be seen. */

import { momentOf } from "./clock.js";
import { button, field, make, select } from "./form.js";
import { codeOf, Judging, points } from "./judging.js";
import { fill } from "./tile.js";

class EvaluationPage extends Judging {
  constructor(root, { evaluation, words, language, zone }) {
    super(root, words, `/api/v1/quality/evaluations/${evaluation.evaluation}`, evaluation);
    Object.assign(this, { one: evaluation, language, moment: momentOf(zone) });
    this.items = make("div", "sections");
    this.deeds = make("div", "deeds");
    root.append(
      make("p", "form-name", `${evaluation.form.label} · v${evaluation.form.version}`),
      this.#about(), this.#scores(), ...this.#said(), this.stage, this.error, this.items, this.deeds,
    );
    this.#read();
  }

  // -- what there is of it

  #about() {
    const { words, one } = this;
    const call = [one.start && this.moment(one.start), words[`basis.${one.basis}`] ?? one.basis];
    const facts = [
      ["agent", one.agent_name], ["call", call.filter(Boolean).join(", ")],
      ["by", one.by_name], ["at", this.moment(one.utc)],
      ["released", one.released ? this.moment(one.released) : words["evaluation.released.no"]],
    ];
    const list = make("dl", "about-it");
    for (const [word, value] of facts) {
      if (value) list.append(make("div", "", make("dt", "", words[`evaluation.${word}`]), make("dd", "", value)));
    }
    return list;
  }

  #scores() {
    const { words, one } = this;
    const scores = make("p", "pair-scores");
    const add = (word, score) => scores.append(make("span", "", make("b", "", words[word]), ` ${points(score)}`));
    if (one.scores_before) add("evaluation.before", one.scores_before.raw);
    add(one.scores_before ? "evaluation.now" : "score", one.scores.raw);
    if (one.scores.failed !== "none") add("score.after", one.scores.score);
    return scores;
  }

  /** What was done with it since, and what it waits for. */
  #said() {
    const { words, one } = this;
    const done = (word, step) => make("p", "decided", fill(words[word], {
      cause: words[`cause.${step.cause}`] ?? step.cause, reason: step.reason, by: step.by_name, at: this.moment(step.utc),
    }));
    const lines = one.revisions.map((step) => done("evaluation.revised", step));
    if (one.annulled) lines.push(done("evaluation.annulled", one.annulled));
    if (one.pair) {
      const word = one.waits ? "evaluation.waits" : one.stands ? "evaluation.paired" : "evaluation.second";
      const way = make("a", "", words["evaluation.to_pair"]);
      way.href = `/ui/quality/pairs/${one.pair}?lang=${this.language}`;
      lines.push(make("p", "blind", `${words[word]} `, way));
    }
    return lines;
  }

  #read() {
    this.#draw(null);
    const { words, one } = this;
    if (one.annulled || one.waits) return;
    const begin = button("quiet", words["evaluation.revise"], () => this.#revise());
    const annul = this.reasoned("quiet", words["pair.annul.send"], "annulment",
      (reason) => (reason ? {} : words["pair.annul.why"]), location.href);
    this.deeds.replaceChildren(
      make("section", "decider", make("p", "note", words["evaluation.revise.what"]), begin),
      make(
        "details", "replace", make("summary", "", words["pair.annul.send"]),
        make("p", "note", words["evaluation.annul.what"]), ...annul,
      ),
    );
  }

  /** `answers`: what is being chosen, or null to be read. */
  #draw(answers) {
    const { one, words } = this;
    this.items.replaceChildren(...one.form.sections.map((section) => make(
      "section", "section", make("h2", "", section.label),
      ...section.items.map((item) => this.#item(item, answers)),
    )));
    const general = this.#notes(null);
    if (general) this.items.append(make("section", "section", make("h2", "", words["pair.general"]), general));
  }

  #item(item, answers) {
    const { words, one } = this;
    const now = one.answers[item.code];
    const before = one.before?.[item.code] ?? now;
    const box = make(answers ? "fieldset" : "div", "item");
    box.toggleAttribute("data-differs", before !== now);
    box.append(make(answers ? "legend" : "p", "", ...this.title(item)));
    const both = before === now
      ? [[words["evaluation.answer"], now]]
      : [[words["evaluation.before"], before], [words["evaluation.now"], now, "stands"]];
    box.append(this.beside(item, both));
    if (item.checks === "disposition") box.append(this.#codes(answers !== null));
    const notes = this.#notes(item.code);
    if (notes) box.append(notes);
    if (answers) box.append(this.choices(item, answers));
    return box;
  }

  #codes(open) {
    const { words, one } = this;
    const list = make("div", "codes");
    const right = codeOf(words, one.right_code);
    const before = codeOf(words, one.right_code_before);
    const word = before === right ? "evaluation.code" : "evaluation.code.revised";
    list.append(
      make("p", "", fill(words[word], { code: right, before })),
      make("p", "", fill(words["code.agent"], { code: codeOf(words, one.agent_code) })),
    );
    if (open) {
      const none = one.right_code.code ? [] : [["", words["code.choose"]]];
      this.code = select([...none, ...this.codes()]);
      this.code.value = one.right_code.code ?? "";
      list.append(field(words["code.right"], this.code));
    }
    return list;
  }

  /** On an item, or on none. */
  #notes(item) {
    return this.notes(this.one.notes.filter((note) => (note.item ?? null) === item).map((note) => ["", note]));
  }

  // -- an error in it

  #revise() {
    const { words, one } = this;
    const answers = { ...one.answers };
    this.code = null;
    this.#draw(answers);
    const parts = this.reasoned("strong", words["evaluation.revise.send"], "revision", (reason) => {
      const code = this.code?.value || one.right_code.code;
      const coded = code !== one.right_code.code;
      const same = Object.keys(answers).every((item) => answers[item] === one.answers[item]);
      if (same && !coded) return words["evaluation.same"];
      if (!reason) return words["evaluation.why"];
      return { answers, ...(coded && { right_code: code }) };
    }, location.href);
    const cancel = button("quiet", words["evaluation.revise.cancel"], () => {
      this.error.hidden = true;
      this.#read();
      this.deeds.querySelector("button").focus();
    });
    this.deeds.replaceChildren(make("section", "decider", ...parts, cancel));
    this.items.querySelector("input:checked, input").focus();
  }
}

const options = JSON.parse(document.getElementById("options").textContent);
new EvaluationPage(document.getElementById("decide"), options);
