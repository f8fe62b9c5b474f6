/* A day on its tracks (presence, the roster's plan, work, link), drawn as SVG, with a legend of what
   is on them. A bar is a state with its clock; it can be reached with the keyboard and opens what
   lies behind it. Without a roster there is no track of it. */

import { duration } from "./clock.js";

const NS = "http://www.w3.org/2000/svg";
const HOUR = 3_600_000;
const QUARTER = HOUR / 4;
const HOUR_WIDTH = 42; // of `00:00` and the air around it
const STEPS = [QUARTER / 3, QUARTER, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR];
const TRACKS = ["presence", "plan", "work", "link"];
const TRACK = 34;
const GAP = 12;
const TOP = 22;
const OUT = 12; // an exception stands over the lower part of the plan

function svg(name, attributes, parent) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class Timeline {
  /** `open(bar)` is called for a bar that was chosen; `word(bar)` says what it is, `named(state)`
      what its colour means. */
  constructor(words, { open, word, named, hour }) {
    Object.assign(this, { words, open, word, named, hour });
    this.element = document.createElement("figure");
    this.element.className = "timeline";
    this.caption = document.createElement("figcaption");
    this.caption.setAttribute("aria-live", "polite");
    this.legend = document.createElement("ul");
    this.legend.className = "legend";
    this.element.append(this.caption, this.legend);
  }

  /** `day`: lists of bars by track, and `exceptions` from the plan, UTC ms; [from, to) is drawn. */
  draw(day, from, to) {
    this.element.querySelector("svg")?.remove();
    const width = Math.max(320, this.element.clientWidth || 960);
    const left = width < 560 ? 0 : 84;
    const x = (utc) => left + ((utc - from) / (to - from)) * (width - left);
    const tracks = TRACKS.filter((name) => name !== "plan" || day.plan.length);
    const height = TOP + tracks.length * (TRACK + GAP);
    const picture = svg("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
      "aria-label": this.words.timeline,
    });
    this.#hours(picture, from, to, x, height);
    tracks.forEach((name, at) => {
      const y = TOP + at * (TRACK + GAP);
      if (left) {
        const label = svg("text", { x: 0, y: y + TRACK / 2 + 5, class: "track" }, picture);
        label.append(this.words[`track.${name}`]);
      }
      svg("rect", { x: left, y, width: width - left, height: TRACK, class: "ground" }, picture);
      for (const bar of day[name]) this.#bar(picture, name, bar, x, y, TRACK);
      if (name !== "plan") return;
      for (const bar of day.exceptions) this.#bar(picture, "out", bar, x, y + TRACK - OUT, OUT);
    });
    this.element.prepend(picture);
    this.caption.textContent = this.words["timeline.hint"];
    this.#explain([...tracks.flatMap((name) => day[name]), ...day.exceptions]);
  }

  /** Each colour that is there, and its word. */
  #explain(bars) {
    const states = [...new Set(bars.map(({ state }) => state))];
    this.legend.replaceChildren(...states.map((state) => {
      const entry = document.createElement("li");
      const sign = document.createElement("i");
      sign.dataset.state = state;
      entry.append(sign, this.named(state));
      return entry;
    }));
  }

  #hours(picture, from, to, x, height) {
    const most = Math.min(14, (x(to) - x(from)) / HOUR_WIDTH);
    const step = STEPS.find((one) => (to - from) / one <= most) ?? STEPS.at(-1);
    for (let utc = Math.ceil(from / step) * step; utc <= to; utc += step) {
      svg("line", { x1: x(utc), x2: x(utc), y1: TOP - 6, y2: height, class: "hour" }, picture);
      const at = Math.min(Math.max(x(utc), x(from) + 14), x(to) - 16);
      svg("text", { x: at, y: 12, class: "hour" }, picture).append(this.hour(utc));
    }
  }

  #bar(picture, track, bar, x, y, height) {
    const start = x(bar.start);
    const width = Math.max(1, x(bar.end) - start);
    const said = `${this.word(bar)}, ${this.hour(bar.start)}, ${duration(bar.end - bar.start)}`;
    const rect = svg("rect", {
      x: start, y, width, height, class: `bar-${track}`, "data-state": bar.state,
    }, picture);
    svg("title", {}, rect).append(said);
    if (bar.state === "working") return; // the track below says what
    rect.setAttribute("tabindex", "0");
    rect.setAttribute("role", "button");
    rect.setAttribute("aria-label", said);
    const say = () => (this.caption.textContent = said);
    rect.addEventListener("pointerenter", say);
    rect.addEventListener("focus", say);
    rect.addEventListener("click", () => this.open(bar));
    rect.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.open(bar);
    });
  }
}

/** From the quarter of an hour of the day's first thing to that of its last; else the day. */
export function reach(day, start, end) {
  const bars = TRACKS.flatMap((name) => day[name]);
  if (!bars.length) return [start, end];
  const first = Math.min(...bars.map((bar) => bar.start));
  const last = Math.max(...bars.map((bar) => bar.end));
  const from = Math.max(start, Math.floor(first / QUARTER) * QUARTER);
  return [from, Math.min(end, Math.max(Math.ceil(last / QUARTER), from / QUARTER + 2) * QUARTER)];
}
