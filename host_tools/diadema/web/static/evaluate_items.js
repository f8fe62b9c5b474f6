/* The form: sections with their items, each a group of choices with its guide and its comments. */

import { button, make } from "./form.js";
import { fill } from "./tile.js";

export class Items {
  #all = []; // {item, element, radios, note}
  #here = -1;

  /** `ways`: open, answers, comments, answered(), named(code). */
  constructor(words, sheet, ways) {
    Object.assign(this, { words, sheet, ways });
    this.element = make("div", "sections");
    for (const section of sheet.form.sections) {
      const title = make("h2", "", section.label);
      const box = make("section", "section", title);
      for (const item of section.items) box.append(this.#draw(item));
      this.element.append(box);
    }
  }

  /** `outcome`: what is missing, of the server; null: nothing is to be done any more. */
  mark(outcome) {
    for (const one of this.#all) {
      const { item } = one;
      const needs = Boolean(outcome?.comments.includes(item.code));
      one.note.hidden = !needs;
      one.element.toggleAttribute("data-missing", Boolean(outcome?.missing.includes(item.code)));
    }
  }

  move(by) {
    const next = this.#here < 0 ? 0 : Math.min(Math.max(this.#here + by, 0), this.#all.length - 1);
    this.#focus(next);
  }

  answer(option) {
    const one = this.#all[this.#here];
    const radio = one?.radios.find((each) => each.value === option && !each.disabled);
    if (!radio) return;
    radio.focus();
    if (radio.checked) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }

  comment() {
    const one = this.#all[this.#here];
    if (one) this.ways.comments.begin(one.item.code);
  }

  focusMissing() {
    const at = this.#all.findIndex((one) => one.element.hasAttribute("data-missing") || !one.note.hidden);
    if (at >= 0) this.#focus(at);
  }

  /** The code that was named, and the one that the agent gave. */
  tell(right, agent) {
    const one = this.#all.find((each) => each.item.checks === "disposition");
    if (!one) return;
    this.sheet.right_code = right;
    this.sheet.agent_code = agent;
    one.asked.replaceChildren(...this.#codes());
    for (const radio of one.radios) radio.disabled = false;
    one.radios[0].focus();
  }

  #focus(at) {
    this.#here = at;
    const { radios, element } = this.#all[at];
    const radio = radios.find((one) => one.checked) ?? radios.find((one) => !one.disabled);
    (radio ?? element.querySelector("select, button") ?? element).focus();
    element.scrollIntoView({ block: "nearest" });
  }

  #draw(item) {
    const { words, ways } = this;
    const element = make("fieldset", "item");
    element.dataset.item = item.code;
    const at = this.#all.length;
    const legend = make("legend", "", make("b", "", item.text));
    if (item.kind !== "normal") legend.append(make("em", "critical", words[`kind.${item.kind}`]));
    const facts = [fill(words.weight, { n: item.weight })];
    if (item.auto_fail !== "none") facts.push(words[`fail.${item.auto_fail}`]);
    element.append(legend, make("p", "facts", facts.join(" · ")));
    if (item.guide) element.append(make("p", "guide", item.guide));
    const asked = make("div", "asked");
    const blocked = item.checks === "disposition" && ways.open && !this.sheet.right_code;
    if (item.checks === "disposition") {
      asked.append(...(blocked ? [this.#asking()] : this.#codes()));
      element.append(asked);
    }
    const choices = make("div", "options");
    const radios = item.options.map((option) => this.#option(item, option, choices));
    for (const radio of radios) radio.disabled = !ways.open || (blocked && radio.value !== "-");
    element.append(choices);
    const note = make("p", "needs", words["comment.needed"]);
    note.hidden = true;
    element.append(note, ways.comments.of(item.code));
    const revised = this.sheet.final?.revised?.[item.code];
    if (revised !== undefined && revised !== this.sheet.final.answers[item.code]) {
      const answer = this.#said(item, revised);
      element.append(make("p", "revised", fill(words["final.revised.now"], { answer })));
    }
    element.addEventListener("focusin", () => {
      this.#here = at;
    });
    this.#all.push({ item, element, radios, note, asked });
    return element;
  }

  #option(item, option, choices) {
    const { words, ways } = this;
    const radio = make("input");
    radio.type = "radio";
    radio.name = `item-${item.code}`;
    radio.value = option;
    radio.checked = ways.answers[item.code] === option;
    radio.addEventListener("change", () => {
      ways.answers[item.code] = option;
      ways.answered();
    });
    const key = make("kbd", "", option === "-" ? "N" : option);
    key.setAttribute("aria-hidden", "true");
    const said = this.#said(item, option);
    choices.append(make("label", "option", radio, key, said === option ? make("span", "unseen", said) : said));
    return radio;
  }

  #said(item, option) {
    const { words } = this;
    return option === "-" ? words["option.na"] : (words[`option.${item.scale}.${option}`] ?? option);
  }

  /** Which code it should be: said before the other is known. */
  #asking() {
    const { words, sheet } = this;
    const select = make("select");
    select.append(new Option(words["code.choose"], ""));
    for (const one of sheet.codes) {
      select.append(new Option(`${one.code} · ${one.labels.join(" › ")}`, one.code));
    }
    const name = button("quiet", words["code.name"], () => select.value && this.ways.named(select.value));
    const label = make("label", "field", make("span", "", words["code.right"]), select);
    return make("div", "naming", label, name, make("p", "note", words["code.hint"]));
  }

  #codes() {
    const { words, sheet } = this;
    const lines = [["code.said", sheet.right_code], ["code.agent", sheet.agent_code]];
    return lines.filter(([, given]) => given).map(([word, given]) => {
      const code = given.code ? [given.code, ...given.labels.slice(-1)].join(" · ") : words["code.none"];
      return make("p", "said-code", fill(words[word], { code }));
    });
  }
}
