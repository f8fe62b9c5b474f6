/* The button that goes from the system's colours to light, to dark, and round again. */

import { draw, icon } from "./icons.js";

export function themeSwitch(button, words) {
  if (!button || button.firstElementChild) return;
  const shape = icon("auto");
  const theme = window.diademaTheme;

  function say() {
    draw(shape, theme.choice);
    const text = `${words.theme}: ${words[`theme.${theme.choice}`]}`;
    button.setAttribute("aria-label", text);
    button.title = text;
  }

  button.append(shape);
  button.addEventListener("click", () => {
    theme.next();
    say();
  });
  say();
  theme.apply();
}
