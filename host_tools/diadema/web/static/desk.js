/* The virtual desk: draws one simulated station and hands on what is done to it. Everything shown
   came from the station; a press changes nothing here until the station answers. */

import { Badges } from "./desk_badges.js";
import { Keys } from "./desk_keys.js";
import { DeskLink } from "./desk_link.js";
import { Said } from "./desk_said.js";
import { DeskScreen } from "./desk_screen.js";
import { shortcuts } from "./desk_shortcuts.js";
import { draw, icon } from "./icons.js";
import { themeSwitch } from "./switch.js";

const NOTICE_MS = 7000;
const LIGHTS = ["ready", "busy", "ring"];

class Desk {
  #standing = null;
  #fading = 0;

  constructor(words) {
    this.words = words;
    this.main = document.querySelector("main");
    this.notice = document.querySelector("[data-notice]");
    this.screen = new DeskScreen(document.querySelector("[data-screen]"), words);
    this.said = new Said(document.querySelector(".said"), words);
    this.link = new DeskLink({
      hello: (hello) => this.#hello(hello),
      face: (face) => this.#face(face),
      standing: (standing) => this.#stands(standing),
      said: (entries) => this.said.add(entries),
      error: (sentence) => this.#complain(sentence),
      lost: (first) => this.#lost(first),
    });
    this.keys = new Keys(document.querySelector(".station"), (request) => this.link.send(request));
    this.badges = new Badges(document.querySelector(".tray"), words, (badge) =>
      this.link.send({ do: "tap", badge }),
    );
    this.shape = icon("logged_out");
    document.querySelector("[data-shape]").append(this.shape);
    themeSwitch(document.querySelector("[data-theme-button]"), words);
    this.#listen();
    this.link.open();
  }

  #listen() {
    for (const one of document.querySelectorAll("[data-toggle]")) {
      one.addEventListener("click", () => this.toggle(one.dataset.toggle));
    }
    for (const one of document.querySelectorAll("[data-do]")) {
      one.addEventListener("click", () => this.link.send({ do: one.dataset.do }));
    }
    for (const one of document.querySelectorAll("[data-hold]")) {
      one.addEventListener("click", () => this.keys.long(Number(one.dataset.hold)));
    }
    const form = document.querySelector("[data-message]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = form.elements.text.value.trim();
      if (text) this.link.send({ do: "text", text });
      form.reset();
    });
    document.querySelector("[data-notice-close]").addEventListener("click", () => this.#say(""));
    shortcuts({
      keys: this.keys,
      badges: this.badges,
      toggle: (name) => this.toggle(name),
      ask: (name) => this.link.send({ do: name }),
      write: () => form.elements.text.focus(),
    });
  }

  toggle(name) {
    if (!this.#standing) return;
    const on = this.#standing[{ headset: "plugged", cable: "cable", power: "powered" }[name]];
    this.link.send({ do: name, [name === "power" ? "on" : "plugged"]: !on });
  }

  #hello(hello) {
    this.#say("");
    for (const one of document.querySelectorAll("[data-seat], [data-seat-engraved]")) {
      one.textContent = hello.seat;
    }
    document.querySelector("[data-seat]").textContent = `${hello.site} · ${hello.seat}`;
    document.querySelector("[data-seat]").title = `${hello.station} · ${hello.board}`;
    this.badges.lay(hello.badges);
    this.said.begin(hello);
    this.keys.release();
  }

  #face({ screen, on, lights }) {
    this.screen.show(screen, on);
    LIGHTS.forEach((name, at) => {
      const one = document.querySelector(`[data-light="${name}"]`);
      one.toggleAttribute("data-lit", lights[at]);
      const words = `${this.words[`light.${name}`]}: ${this.words[lights[at] ? "light.on" : "light.off"]}`;
      if (one.getAttribute("aria-label") !== words) one.setAttribute("aria-label", words);
    });
  }

  #stands(standing) {
    const { words, main } = this;
    const before = this.#standing;
    this.#standing = standing;
    main.dataset.state = standing.powered ? standing.state : "logged_out";
    main.toggleAttribute("data-powered", standing.powered);
    main.toggleAttribute("data-headset", standing.plugged);
    main.toggleAttribute("data-cable", standing.cable);
    for (const [name, on] of [["headset", standing.plugged], ["cable", standing.cable], ["power", standing.powered]]) {
      const one = document.querySelector(`button[data-toggle="${name}"]`);
      one.setAttribute("aria-checked", String(on));
      const small = one.querySelector("small");
      small.textContent = small.dataset[on ? "on" : "off"];
    }
    document.querySelector("[data-volume]").textContent = standing.volume ?? words["volume.unknown"];
    draw(this.shape, standing.powered ? standing.state : "logged_out");
    const state = standing.powered ? words[`state.${standing.state}`] : words["screen.dark"];
    document.querySelector("[data-state-word]").textContent = state ?? standing.state;
    document.querySelector("[data-who]").textContent = (standing.powered && standing.who) || "";
    this.screen.stands(standing, state ?? standing.state);
    this.badges.hold(standing.reading);
    this.said.stored(standing.stored);
    if (standing.crashed && !before?.crashed) this.#say(words.crashed);
  }

  #complain(sentence) {
    this.#say(sentence);
    this.#fading = setTimeout(() => this.#say(""), NOTICE_MS);
  }

  #lost(first) {
    this.#say(first ? this.words.connecting : this.words.lost);
    this.keys.release();
  }

  #say(sentence) {
    clearTimeout(this.#fading);
    this.notice.firstElementChild.textContent = sentence;
    this.notice.hidden = !sentence;
  }
}

new Desk(JSON.parse(document.getElementById("words").textContent));
