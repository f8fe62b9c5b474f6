/* What only /ui has around the tiles: head, alerts, the panel of actions, the way out of the large
   screen. */

import { Alerts } from "./alerts.js";
import { button } from "./form.js";
import { Head } from "./head.js";
import { Panel } from "./panel.js";

export class Inside {
  /** `find(agent)` gives the agent's tile; `narrow(queue)` shows that queue's agents; `titled()` is
      called when the page's title may change. */
  constructor(words, language, { site, may, definitions, find, narrow, titled }) {
    Object.assign(this, { find, titled });
    this.head = new Head(words, definitions);
    this.panel = new Panel(words, site, may, language.slice(0, 2));
    const open = ({ a, queue }) => (queue === null ? this.#open(find(a)) : narrow(queue));
    this.alerts = new Alerts(words, open, may.act);
    this.leave = button("quiet leave", words["screen.leave"]);
    this.leave.hidden = true;
  }

  /** Open the panel from the tiles under `root`; `onLeave` ends the large screen. */
  listen(root, onLeave) {
    root.addEventListener("click", (event) => this.#open(event.target.closest(".tile")?.tile));
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      const tile = event.target.closest(".tile")?.tile;
      if (!tile) return;
      event.preventDefault();
      this.#open(tile);
    });
    this.leave.addEventListener("click", onLeave);
    this.onKey = (event) => {
      if (event.key === "Escape" && !this.leave.hidden && !this.panel.element.open) onLeave();
    };
    document.addEventListener("keydown", this.onKey);
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
  }

  #open(tile) {
    if (tile && !this.panel.element.open) this.panel.open(tile);
  }

  /** Take what a message brings beside rows. */
  take(message, tiles) {
    this.head.take(message);
    if (!("alerts" in message)) return;
    this.alerts.take(message.alerts);
    const levels = this.alerts.levels();
    for (const { element, row } of tiles) {
      const level = levels.get(row.a);
      if (level) element.dataset.alert = level;
      else delete element.dataset.alert;
    }
    this.titled();
  }

  say(now, times, queue, shown) {
    this.head.say(now, times, queue);
    this.head.count(shown);
  }

  tick(now) {
    this.alerts.tick(now);
    this.panel.tick();
  }
}
