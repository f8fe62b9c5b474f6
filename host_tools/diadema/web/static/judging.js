/* What the page of one evaluation and the page of two have in common: the call to be heard, answers
   in words, notes that lead into the call, and what a coordinator sends with a reason. */

import { ask } from "./ask.js";
import { button, field, input, make } from "./form.js";
import { clockOf, markList, Player } from "./player.js";
import { fill } from "./tile.js";
import { REASON_CHARACTERS } from "./wire.js";

export function points(tenths) {
  return tenths === null ? "—" : (tenths / 10).toFixed(1);
}

export function codeOf(words, given) {
  return given?.code ? [given.code, ...given.labels.slice(-1)].join(" · ") : words["code.none"];
}

export class Judging {
  #player = null;

  /** `path`: of the API; `call`: what is shown of it, with marks, recording and codes. */
  constructor(root, words, path, call) {
    Object.assign(this, { root, words, path, call });
    this.stage = make("section", "stage");
    this.error = make("p", "plain-said");
    this.error.setAttribute("role", "alert");
    this.error.hidden = true;
    this.#closed();
    window.addEventListener("pagehide", () => this.#player?.close());
  }

  #closed() {
    const { words, stage, call } = this;
    if (call.recording !== "linked") {
      stage.append(make("p", "note", words["listen.none"]), markList(words, call.marks));
      return;
    }
    const hear = button("hear", words.listen, async () => {
      hear.disabled = true;
      try {
        const sound = await ask("POST", `${this.path}/hearing`, {});
        this.#player = new Player(words, sound, call.marks);
        stage.replaceChildren(this.#player.element);
        stage.classList.add("sounding");
        for (const go of this.root.querySelectorAll(".comments .at")) go.disabled = false;
      } catch (error) {
        hear.disabled = false;
        this.wrong(fill(words["listen.failed"], { detail: error.message }));
      }
    });
    stage.append(hear);
  }

  title(item) {
    const title = [make("b", "", item.text)];
    if (item.kind !== "normal") title.push(make("em", "critical", this.words[`kind.${item.kind}`]));
    return title;
  }

  said(item, answer) {
    const { words } = this;
    return answer === "-" ? words["option.na"] : (words[`option.${item.scale}.${answer}`] ?? answer);
  }

  /** Answers beside each other, each [word, answer, class]. */
  beside(item, answers) {
    const list = make("dl", "both");
    for (const [word, answer, name] of answers) {
      list.append(make("div", name ?? "", make("dt", "", word), make("dd", "", this.said(item, answer))));
    }
    return list;
  }

  /** What is chosen goes into `answers`. */
  choices(item, answers) {
    const choices = make("div", "options");
    for (const option of item.options) {
      const radio = make("input");
      radio.type = "radio";
      radio.name = `item-${item.code}`;
      radio.checked = answers[item.code] === option;
      radio.addEventListener("change", () => {
        answers[item.code] = option;
      });
      choices.append(make("label", "option", radio, this.said(item, option)));
    }
    return choices;
  }

  codes() {
    return this.call.codes.map((each) => [each.code, `${each.code} · ${each.labels.join(" › ")}`]);
  }

  /** Notes, each with whose it is, or none where there are none. */
  notes(some) {
    const { words } = this;
    const list = make("ul", "comments");
    for (const [whose, one] of some) {
      const about = [whose, words[`about.${one.about}`]].filter(Boolean).join(" · ");
      const line = make("li", "", make("span", "about", about));
      if (typeof one.from_ms === "number") {
        const time = clockOf(one.from_ms);
        const go = button("at", time, () => this.#player?.seek(one.from_ms));
        go.setAttribute("aria-label", fill(words["comment.go"], { at: time }));
        go.disabled = this.#player === null;
        line.append(go);
      }
      line.append(make("span", "text", one.text));
      list.append(line);
    }
    return list.firstChild ? list : null;
  }

  /** Sends `body()` with a reason, to `what` of the API, and goes to `then`; what is missing,
      `body` says as a sentence. */
  reasoned(kind, word, what, body, then) {
    const { words } = this;
    const reason = input(REASON_CHARACTERS);
    const send = button(kind, word, async () => {
      const said = body(reason.value.trim());
      if (typeof said === "string") {
        this.wrong(said);
        return;
      }
      send.disabled = true;
      try {
        await ask("POST", `${this.path}/${what}`, { ...said, reason: reason.value.trim() });
        location.assign(then);
      } catch (error) {
        send.disabled = false;
        this.wrong(error.message);
      }
    });
    return [field(words["pair.reason"], reason), send];
  }

  wrong(said) {
    this.error.textContent = said;
    this.error.hidden = false;
    this.error.scrollIntoView({ block: "center" });
  }
}
