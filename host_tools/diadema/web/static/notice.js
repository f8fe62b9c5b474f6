/* The line that says when the floor is not live, and what to make of it. */

import { fill } from "./tile.js";

export class Notice {
  constructor(words) {
    this.words = words;
    this.element = document.createElement("div");
    this.element.className = "notice";
    this.element.setAttribute("role", "status");
    this.element.hidden = true;
    this.head = document.createElement("b");
    this.hint = document.createElement("span");
    this.element.append(this.head, " ", this.hint);
  }

  /** `since` UTC ms, 0 for never, null for live; `why` "disk" or null; `hour` turns ms into the
      site's hour. */
  say(since, why, hour, count) {
    const { words } = this;
    let head = "";
    let hint = "";
    if (since === 0 && !count) {
      [head, hint] = [words.connecting, words["connecting.hint"]];
    } else if (since !== null) {
      head = since ? fill(words.stale, { time: hour(since) }) : words["stale.never"];
      hint = words[why ? `stale.${why}` : "stale.hint"];
    }
    this.element.dataset.kind = since === 0 && !count ? "connecting" : "stale";
    if (this.head.textContent !== head) this.head.textContent = head;
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
    this.element.hidden = !head;
  }
}
