/* What every page's bar needs of the browser: the switch of the colours, links that keep the query. */

import { leaveIfOver } from "./ask.js";
import { themeSwitch } from "./switch.js";

function settle() {
  const button = document.querySelector("[data-theme-button]");
  if (!button) {
    setTimeout(settle, 50); // NiceGUI draws the bar after this module has loaded
    return;
  }
  themeSwitch(button, JSON.parse(document.getElementById("shell-words").textContent));
  menu(button.closest(".bar"));
  const kept = new URLSearchParams(location.search);
  for (const link of document.querySelectorAll("a[data-keep]")) {
    const merged = new URLSearchParams(kept);
    merged.set("lang", new URL(link.href).searchParams.get("lang"));
    link.href = `?${merged}`;
  }
}

/** In a narrow window the ways to the other pages are behind a button. */
function menu(bar) {
  const button = bar.querySelector(".bar-menu");
  button.addEventListener("click", () => {
    const isOpen = bar.toggleAttribute("data-menu");
    button.setAttribute("aria-expanded", String(isOpen));
  });
}

/** The server ends the socket of a session that is over: the page then goes to the login. */
function follow() {
  if (window.socket) window.socket.on("disconnect", leaveIfOver);
  else setTimeout(follow, 50);
}

settle();
if (document.getElementById("app")) follow(); // only NiceGUI's pages have that socket
