/* The page of the floor: its bar, and the floor where the person may see it. */

import { mount } from "./floor.js";
import "./shell.js";

const root = document.getElementById("floor");
if (root) {
  const options = JSON.parse(document.getElementById("options").textContent);
  mount(root, { ...options, scope: "full" });
}
