/* A short tone for a new alert. Off until somebody wants it; this browser remembers that. */

const KEY = "diadema.sound";
const HZ = { 1: 587, 2: 740, 3: 988 };

export class Chime {
  #context = null;

  constructor(words) {
    this.words = words;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "quiet sound";
    this.button.addEventListener("click", () => this.#toggle());
    try {
      this.isOn = localStorage.getItem(KEY) === "on";
    } catch {
      this.isOn = false; // storage is forbidden here
    }
    this.#say();
  }

  #toggle() {
    this.isOn = !this.isOn;
    try {
      localStorage.setItem(KEY, this.isOn ? "on" : "off");
    } catch {
      // it then holds for this page only
    }
    this.#say();
    this.ring(1); // so that the user hears how it will sound, and the browser lets us from now on
  }

  #say() {
    this.button.textContent = this.words[this.isOn ? "alert.sound.on" : "alert.sound.off"];
    this.button.setAttribute("aria-pressed", String(this.isOn));
  }

  /** Two short notes, the higher the more urgent. */
  ring(level) {
    if (!this.isOn) return;
    this.#context ??= new AudioContext();
    const context = this.#context;
    context.resume();
    [0, 0.16].forEach((after, index) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const at = context.currentTime + after;
      tone.frequency.value = HZ[level] * (index ? 1.25 : 1);
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.12, at + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.15);
      tone.connect(volume).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.16);
    });
  }
}
