/* Beside the form: the score as the server has it, what was measured, how to ask for another call,
   and what became of what was submitted. */

import { button, field, make } from "./form.js";
import { clockOf } from "./player.js";
import { fill } from "./tile.js";

function points(tenths) {
  return (tenths / 10).toFixed(1);
}

export function scoreBox(words) {
  const figure = make("b", "figure");
  const notes = make("div", "notes");
  const element = make("section", "score", make("h2", "", words.score), figure, notes);
  element.setAttribute("aria-live", "polite");
  const counted = (name, n) => fill(words[n === 1 ? `score.${name}.one` : `score.${name}`], { n });
  return {
    element,
    show(outcome) {
      const told = [];
      const whole = outcome && !outcome.missing.length;
      const raw = outcome?.raw ?? null;
      figure.textContent = !whole ? "—" : raw === null ? words["score.none"] : points(raw);
      if (outcome?.missing.length) told.push(counted("missing", outcome.missing.length));
      if (outcome?.comments.length) told.push(counted("comments", outcome.comments.length));
      if (whole && outcome.failed !== "none" && outcome.failed) {
        told.push(words[`score.failed.${outcome.failed}`]);
        if (outcome.score !== null) told.push(`${words["score.after"]}: ${points(outcome.score)}`);
      }
      if (outcome && !whole) told.push(words["score.to_come"]);
      notes.replaceChildren(...told.map((one) => make("p", "note", one)));
      element.toggleAttribute("data-failed", Boolean(whole && outcome.failed !== "none"));
    },
  };
}

export function indicators(words, told) {
  const list = make("dl", "indicators");
  const line = (name, said) => {
    if (said === null || said === undefined) return;
    list.append(make("div", "", make("dt", "", words[`indicator.${name}`]), make("dd", "", said)));
  };
  const time = (ms) => (ms === null ? null : clockOf(ms));
  line("agent_share", told.agent_share === null ? null : `${told.agent_share.toFixed(1)} %`);
  line("longest_silence_ms", time(told.longest_silence_ms));
  line("interruptions", told.interruptions === null ? null : String(told.interruptions));
  line("clipping", told.clipping === null ? null : String(told.clipping));
  line("holds", String(told.holds));
  if (told.holds) line("longest_hold_ms", time(told.longest_hold_ms));
  if (told.untyped !== null) line("untyped", words[told.untyped ? "yes" : "no"]);
  const steps = told.steps.map((one) => `${words[`step.${one.step}`] ?? one.step} (${words[`how.${one.how}`]})`);
  line("steps", steps.join(", ") || words["steps.none"]);
  return make(
    "section", "measured", make("h2", "", words.indicators),
    make("p", "note", words["indicators.hint"]), list,
  );
}

export class Replace {
  /** `ask(why)` is called with unplayable or nobodys. */
  constructor(words, ask) {
    const why = make("select");
    for (const one of ["unplayable", "nobodys"]) why.append(new Option(words[`replace.${one}`], one));
    const send = button("quiet", words["replace.send"], () => ask(why.value));
    this.element = make(
      "details", "replace", make("summary", "", words.replace),
      field(words["replace.title"], why), make("p", "note", words["replace.hint"]), send,
    );
  }
}

export function final(words, sheet) {
  const { final: done, task } = sheet;
  const box = make("section", "final", make("h2", "", words["final.title"]));
  const line = (said) => box.append(make("p", "", said));
  if (!done) {
    box.replaceChildren();
    line(words[`over.${task.state}`]);
    return box;
  }
  line(task.agent ? fill(words["final.released"], { agent: task.agent }) : words["final.waiting"]);
  if (done.reason) {
    line(fill(words["final.revised"], { reason: `${words[`cause.${done.cause}`] ?? done.cause}: ${done.reason}` }));
  }
  if (done.annulled) line(fill(words["final.annulled"], { reason: done.annulled }));
  return box;
}
