/* The bare page of the wall: its words are in the page, all else comes by the stream. */

import { mount } from "./floor.js";

const words = JSON.parse(document.getElementById("words").textContent);
mount(document.getElementById("floor"), { words, scope: "wall" });
