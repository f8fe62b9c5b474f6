/* What became of each thing that was asked: noted, or sent and then done, refused or too late. */

import { ask } from "./ask.js";
import { button, make } from "./form.js";
import { fill } from "./tile.js";

const LOOK_MS = 1000;
const UNDO_MS = 10_000;
const SHOWN = 5;

export class Sent {
  #round = 0;

  constructor(words) {
    this.words = words;
    this.list = make("ul");
    const said = make("div", "", this.list);
    said.setAttribute("role", "status");
    said.setAttribute("aria-label", words["panel.result"]);
    this.element = make("section", "sent", said);
    this.clear();
  }

  /** Forget them; what is still under way goes on, unseen. */
  clear() {
    this.#round += 1;
    this.list.replaceChildren();
  }

  /** `asking` is the promise of the answer; then look what the station says. What was noted can
      be taken back for a while, by `undo` of its place. Gives whether it was taken. */
  async follow(what, asking, undo) {
    const line = make("li");
    this.list.prepend(line);
    while (this.list.children.length > SHOWN) this.list.lastElementChild.remove();
    const say = (state, values) => {
      line.dataset.state = state;
      line.textContent = fill(this.words[`panel.${state}`], { what, ...values });
    };
    say(undo ? "saving" : "pending");
    try {
      const { of, i } = await asking;
      if (undo || i === null || i === undefined) say("noted");
      else await this.#wait(of, say, this.#round);
      if (undo) this.#offerUndo(line, say, () => undo(of));
      return true;
    } catch (error) {
      say("failed", { detail: error.detail ?? error.message });
      return false;
    }
  }

  #offerUndo(line, say, undo) {
    const back = button("choice undo", this.words["panel.undo"], async () => {
      clearTimeout(until);
      line.tabIndex = -1;
      line.focus(); // the button goes
      say("undoing");
      try {
        await undo();
        say("undone");
      } catch (error) {
        say("kept", { detail: error.detail ?? error.message });
      }
    });
    const until = setTimeout(() => back.remove(), UNDO_MS);
    line.append(" ", back);
  }

  async #wait(of, say, round) {
    while (round === this.#round) {
      const { outcome } = await ask("GET", `/api/v1/actions/${of.join("/")}`);
      const reason = this.words[`refusal.${outcome.reason}`] ?? outcome.reason;
      if (outcome.result !== "waiting") return say(outcome.result, { reason });
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }
}
