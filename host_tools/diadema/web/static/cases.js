/* The page «Casos»: the recording of an open case is heard here. Its forms are those of deeds.js. */

import { ask } from "./ask.js";
import "./deeds.js";
import { button, make } from "./form.js";
import { Player } from "./player.js";
import { fill } from "./tile.js";

const { words } = JSON.parse(document.getElementById("options").textContent);
let going = null; // what is heard: one at a time

function stop() {
  const { player, sound, stage, before } = going ?? {};
  going = null;
  if (!player) return;
  player.close();
  stage.replaceChildren(...before);
  ask("POST", `/api/v1/listenings/${sound.listening}/end`).catch(() => {});
}

async function hear(stage, press, wrong) {
  press.disabled = true;
  wrong.hidden = true;
  try {
    const { sound, marks } = await ask("POST", stage.dataset.hear);
    stop();
    const player = new Player(words, sound, marks);
    going = { player, sound, stage, before: [...stage.childNodes] };
    const over = button("quiet", words["hear.close"], stop);
    stage.replaceChildren(player.element, make("p", "ways", over));
    player.toggle.focus();
  } catch (error) {
    wrong.textContent = fill(words["hear.failed"], { detail: error.detail ?? error.message });
    wrong.hidden = false;
  }
  press.disabled = false;
}

for (const stage of document.querySelectorAll("[data-hear]")) {
  const press = stage.querySelector("button");
  press.disabled = false;
  press.addEventListener("click", () => hear(stage, press, stage.nextElementSibling));
}
window.addEventListener("pagehide", stop);
