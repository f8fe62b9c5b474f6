/* The page of the floor: its bar and the floor. */

import { mount } from "./floor.js";
import "./shell.js";

const options = JSON.parse(document.getElementById("options").textContent);
mount(document.getElementById("floor"), { ...options, scope: "full" });
