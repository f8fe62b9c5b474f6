/* Speech faster or slower at its own pitch: overlap-add of windows, each put where it fits what is
   there already best (WSOLA; Verhelst and Roelands, ICASSP 1993). */

const WINDOW_S = 0.03;
const REACH_S = 0.006; // a period of the lowest voice, so that periods meet

/** `sides`: Float32Arrays of one length, at `rate` Hz. Gives as many, `speed` times shorter. */
export function stretch(sides, rate, speed) {
  if (speed === 1 || !sides.length || !sides[0].length) return sides;
  const half = Math.round((WINDOW_S * rate) / 2);
  const reach = Math.round(REACH_S * rate);
  const length = sides[0].length;
  const out = sides.map(() => new Float32Array(Math.round(length / speed)));
  const size = out[0].length;
  const mix = mixed(sides);
  let source = 0; // where the last window was taken from
  for (let at = 0; at < size; at += half) {
    const wanted = Math.round(at * speed);
    source = at ? fitting(mix, source + half, wanted, half, reach) : 0;
    for (const [side, made] of out.entries()) overlap(sides[side], made, source, at, half);
  }
  return out;
}

function mixed(sides) {
  if (sides.length === 1) return sides[0];
  return sides[0].map((one, at) => sides.reduce((sum, side) => sum + side[at], 0) / sides.length);
}

/** Near `wanted`, the place whose sound is likest to what would come next at `next`. */
function fitting(mix, next, wanted, half, reach) {
  let best = wanted;
  let most = -Infinity;
  for (let move = -reach; move <= reach; move += 1) {
    const from = wanted + move;
    if (from < 0) continue;
    let alike = 0;
    for (let k = 0; k < half; k += 2) alike += (mix[from + k] ?? 0) * (mix[next + k] ?? 0);
    if (alike > most) [most, best] = [alike, from];
  }
  return best;
}

/** A window of twice `half`, over the end of the one before. */
function overlap(side, made, source, at, half) {
  for (let k = 0; k < 2 * half && at + k < made.length; k += 1) {
    const fade = at && k < half ? k / half : k < half ? 1 : 1 - (k - half) / half;
    made[at + k] += (side[source + k] ?? 0) * fade;
  }
}
