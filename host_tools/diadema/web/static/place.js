/* Puts elements in their order with the fewest moves: those that stand right among each other stay,
   only the others are taken out and put where they belong. */

export function place(list, elements) {
  const stands = new Map();
  let index = 0;
  for (const element of list.children) stands.set(element, index++);
  const stay = longestRise(elements.map((element) => stands.get(element) ?? -1));
  let next = null;
  for (let at = elements.length - 1; at >= 0; at -= 1) {
    if (!stay.has(at)) list.insertBefore(elements[at], next);
    next = elements[at];
  }
}

/** Where the longest rising run of `values` (-1: none) stands in them. */
function longestRise(values) {
  const ends = []; // of the best run of each length, where it ends
  const before = new Array(values.length);
  values.forEach((value, at) => {
    if (value < 0) return;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[ends[middle]] < value) low = middle + 1;
      else high = middle;
    }
    before[at] = low ? ends[low - 1] : undefined;
    ends[low] = at;
  });
  const rise = new Set();
  for (let at = ends.at(-1); at !== undefined; at = before[at]) rise.add(at);
  return rise;
}
