/* What became of each thing that was asked: noted, or sent and then done, refused or too late. */

import { ask } from "./ask.js";
import { make } from "./form.js";
import { fill } from "./tile.js";

const LOOK_MS = 1000;
const SHOWN = 5;

export class Sent {
  #round = 0;

  constructor(words) {
    this.words = words;
    this.list = make("ul");
    this.element = make("section", "sent", this.list);
    this.list.setAttribute("role", "status");
    this.list.setAttribute("aria-label", words["panel.result"]);
    this.clear();
  }

  /** Forget them; what is still under way goes on, unseen. */
  clear() {
    this.#round += 1;
    this.list.replaceChildren();
    this.element.hidden = true;
  }

  /** `asking` is the promise of the answer; then look what the station says. */
  async follow(what, asking) {
    const line = make("li");
    this.list.prepend(line);
    while (this.list.children.length > SHOWN) this.list.lastElementChild.remove();
    this.element.hidden = false;
    const say = (state, values) => {
      line.dataset.state = state;
      line.textContent = fill(this.words[`panel.${state}`], { what, ...values });
    };
    say("pending");
    try {
      const { of, i } = await asking;
      if (i === null || i === undefined) say("noted");
      else await this.#wait(of, say, this.#round);
    } catch (error) {
      say("failed", { detail: error.detail ?? error.message });
    }
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
