/* The keyboard: the desk's keys by their digits, badges by B and a digit, the rest by a letter. */

const TOGGLES = { h: "headset", c: "cable", p: "power" };
const ASKS = { t: "ring", r: "withdraw", k: "hangup" };
const VOLUME = { "-": 3, "+": 4, "=": 4 };

function isTyping(target) {
  return Boolean(target.closest?.("input, textarea, select, [contenteditable]"));
}

/** `on`: keys, badges, toggle(name), ask(name), write(). */
export function shortcuts(on) {
  let awaitsBadge = false;

  function settle() {
    awaitsBadge = false;
    on.badges.settle();
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const key = event.key.toLowerCase();
    const digit = /^[1-9]$/.test(key) ? Number(key) : 0;
    if (!digit && !event.repeat && awaitsBadge) settle();
    if (event.repeat) return;
    if (digit && awaitsBadge) {
      settle();
      on.badges.tapAt(digit - 1);
    } else if (digit && digit <= 6) {
      on.keys.press(digit, `key${event.code}`);
    } else if (key === "b") {
      awaitsBadge = true;
      on.badges.await(settle);
    } else if (key in VOLUME) {
      on.keys.long(VOLUME[key]);
    } else if (key in TOGGLES) {
      on.toggle(TOGGLES[key]);
    } else if (key in ASKS) {
      on.ask(ASKS[key]);
    } else if (key === "m") {
      event.preventDefault();
      on.write();
    }
  });
  addEventListener("keyup", (event) => {
    for (let key = 1; key <= 6; key += 1) on.keys.lift(key, `key${event.code}`);
  });
}
