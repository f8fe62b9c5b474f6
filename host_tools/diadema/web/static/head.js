/* What stands above the states: the switch's running half-hour, today's sums of what is shown, and
   until when all of it is known. */

import { duration } from "./clock.js";
import { count, percent } from "./numbers.js";
import { fill } from "./tile.js";
import { SILENT_S } from "./wire.js";

function make(name, className, parent) {
  const element = document.createElement(name);
  if (className) element.className = className;
  parent?.append(element);
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Stat {
  constructor(parent, key, word) {
    this.element = make("div", "stat", parent);
    this.element.dataset.stat = key;
    this.figure = make("b", "", this.element);
    make("span", "", this.element).append(word);
    this.note = make("small", "", this.element);
    this.say("—");
  }

  say(figure, note = "", hint = "") {
    write(this.figure, figure);
    write(this.note, note);
    if (this.element.title !== hint) this.element.title = hint;
  }
}

export class Head {
  #queues = null;
  #targets = {};
  #cut = null;
  #owing = [];
  #queue = "";

  /** `definitions`: [name, how it is worked out] of the figures. */
  constructor(words, definitions) {
    this.words = words;
    this.element = make("div", "heads");
    const central = this.#block(words.central, "central");
    this.waiting = new Stat(central, "waiting", words.waiting);
    this.longest = new Stat(central, "longest", words.longest);
    this.abandoned = new Stat(central, "abandoned", words.abandoned);
    this.level = new Stat(central, "level", words.level);
    this.said = make("p", "said", central);
    const today = this.#block(words.today, "today");
    this.segments = new Stat(today, "segments", words["today.segments"]);
    this.tmo = new Stat(today, "tmo", words["today.tmo"]);
    this.missed = new Stat(today, "missed", words["today.missed"]);
    this.cutLine = make("div", "cut", this.element);
    this.cutText = make("span", "", this.cutLine);
    this.owing = make("details", "owing", this.cutLine);
    this.owingText = make("summary", "", this.owing);
    this.seats = make("ul", "", this.owing);
    this.owing.hidden = true;
    this.#define(definitions);
  }

  #define(definitions) {
    const folded = make("details", "how", this.element);
    make("summary", "", folded).append(this.words.how);
    const list = make("dl", "", folded);
    for (const [name, said] of definitions) {
      const line = make("div", "", list);
      make("dt", "", line).append(name);
      make("dd", "", line).append(said);
    }
  }

  #block(word, name) {
    const block = make("div", `board ${name}`, this.element);
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", word);
    return block;
  }

  /** Take what a message brings of the cut-off, the owing seats, the queues and their targets. */
  take(message) {
    if ("cut" in message) this.#cut = message.cut;
    if ("owing" in message) this.#owing = message.owing;
    if ("queues" in message) this.#queues = message.queues;
    if ("targets" in message) this.#targets = message.targets;
  }

  /** The queues that the switch tells of. */
  get queues() {
    return Object.keys(this.#queues?.queues ?? {});
  }

  /** `hour`, `minute` and `day` turn UTC ms into the site's; `queue` narrows, "" is all. */
  say(now, { hour, minute, day }, queue) {
    this.#queue = queue;
    this.#sayCut(hour, minute, day);
    this.#sayQueues(now, minute);
  }

  #sayCut(hour, minute, day) {
    const { words } = this;
    const cut = this.#cut;
    const position = cut && count(cut.position);
    write(this.cutText, cut ? fill(words.cut, { time: hour(cut.at), position }) : words["cut.none"]);
    const n = this.#owing.length;
    this.owing.hidden = !n;
    if (!n) return;
    const heard = this.#owing.map(([, since]) => since).filter((since) => since !== null);
    const of = (since, short) => day(since) === day(cut?.at ?? since)
      ? short(since) : fill(words.since_day, { time: `${day(since)} ${minute(since)}` });
    const time = heard.length ? of(Math.min(...heard), minute) : "—";
    write(this.owingText, fill(words[n > 1 ? "owing" : "owing.one"], { n, time }));
    const lines = this.#owing.map(([seat, since]) =>
      since === null ? fill(words["owing.never"], { seat }) : fill(words["owing.seat"], { seat, time: of(since, hour) }),
    );
    if (lines.join("\n") === [...this.seats.children].map((one) => one.textContent).join("\n")) return;
    this.seats.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  }

  #sayQueues(now, minute) {
    const { words } = this;
    const told = this.#queues;
    const isOld = Boolean(told) && now - told.heard > 1000 * SILENT_S;
    const shown = told && (this.#queue ? (told.queues[this.#queue] ?? null) : told.total);
    this.element.toggleAttribute("data-none", !shown);
    this.element.toggleAttribute("data-old", isOld);
    write(this.said, this.#saidOf(told, isOld, minute));
    if (!shown) {
      for (const stat of [this.waiting, this.longest, this.abandoned, this.level]) stat.say("—");
      return;
    }
    this.waiting.say(count(shown.waiting));
    const until = isOld ? told.heard : now;
    this.longest.say(shown.longest_since === null ? "—" : duration(until - shown.longest_since));
    this.abandoned.say(count(shown.abandoned));
    this.#sayLevel(shown);
  }

  #saidOf(told, isOld, minute) {
    const { words } = this;
    if (!told) return words["central.none"];
    if (isOld) return fill(words["central.stale"], { time: minute(told.heard) });
    return fill(words["central.since"], { time: minute(told.half_hour * 1000) });
  }

  #sayLevel({ service_level: levels, threshold_s: threshold, variant: judged }) {
    const { words } = this;
    const basis = (variant) =>
      fill(words["level.basis"], { variant: words[`level.${variant}`], threshold });
    const target = this.#targets[this.#queue] ?? this.#targets[""];
    const aim = target === undefined ? "" : ` · ${fill(words["level.target"], { target: percent(target) })}`;
    const hint = Object.keys(levels).map((variant) => `${basis(variant)}: ${percent(levels[variant])}`);
    this.level.say(percent(levels[judged]), basis(judged) + aim, hint.join("\n"));
  }

  /** Today's sums of the tiles that are shown: sums over sums, as in the reports. */
  count(tiles) {
    const { words } = this;
    let segments = 0;
    let seconds = 0;
    let handled = 0;
    let missed = 0;
    for (const { row } of tiles) {
      segments += row.contacts;
      seconds += row.handle_s;
      handled += row.handled;
      missed += row.missed;
    }
    const mean = handled ? Math.floor((2 * seconds + handled) / (2 * handled)) : null; // halves up
    const apart = (hint) => `${hint}\n${words["today.stations.hint"]}`.trim();
    const hints = apart(words["today.segments.hint"]);
    this.segments.say(count(segments), words["today.stations"], hints);
    const hint = fill(words["today.tmo.hint"], { n: count(handled) });
    this.tmo.say(mean === null ? "—" : duration(mean * 1000), "", apart(hint));
    this.missed.say(count(missed), "", apart(""));
  }
}
