/* How large tiles can be. On a large screen: as large as lets all of them stand on the screen at once; if
   that would be too small to read, the page scrolls. Under /ui only the density follows the number. */

// a tile's width and height in its own em, gaps included; under /ui it has a line more
const WIDE = 11.9;
const WIDER = 15.5;
const BESIDE_ALIAS = 8.2;
const A_LETTER = 0.77;
const LONGEST = 16;
const HIGH = 3.6;
const HIGHER = 6.2;
const SMALLEST_PX = 8;
const SCROLLING_PX = 13;
const LARGEST_PX = 76;
const QUEUE_WIDE = 29;
const QUEUE_PX = 13.6;

/** Set `--unit` and `--columns` of a list for `count` tiles with names up to `letters`. */
export function fitTiles(list, count, letters, isWall) {
  const beside = BESIDE_ALIAS + A_LETTER * Math.min(letters, LONGEST);
  const wide = Math.max(isWall ? WIDE : WIDER, beside);
  const high = isWall ? HIGH : HIGHER;
  const width = list.clientWidth;
  const padding = (element) => parseFloat(getComputedStyle(element).paddingBottom);
  const below = padding(document.body) + padding(list.closest(".floor"));
  const height = innerHeight - (list.getBoundingClientRect().top + scrollY) - below;
  if (!count || !width) return;
  let best = { unit: 0, columns: 1 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const unit = Math.min(width / (columns * wide), height / (rows * high), LARGEST_PX);
    if (unit > best.unit) best = { unit, columns };
  }
  const scrolls = best.unit < SMALLEST_PX;
  if (scrolls) {
    best = { unit: SCROLLING_PX, columns: Math.max(1, Math.floor(width / (SCROLLING_PX * wide))) };
  }
  list.style.setProperty("--unit", `${best.unit.toFixed(2)}px`);
  list.style.setProperty("--columns", best.columns);
  list.toggleAttribute("data-scrolls", scrolls);
}

/** Set the columns of the tiles of queues, so that no row is left with a few; on a large screen also
    their size, for the fewest rows that can be read. */
export function fitQueues(list, isLarge) {
  const count = list.childElementCount;
  const width = list.clientWidth;
  if (!count || !width) return;
  const screen = Math.min(innerWidth, innerHeight) / 100;
  const most = isLarge ? Math.max(QUEUE_PX, 1.9 * screen) : QUEUE_PX;
  const least = isLarge ? Math.max(11, 1.45 * screen) : QUEUE_PX;
  let columns = count;
  let unit = 0;
  for (let rows = 1; rows <= count; rows += 1) {
    columns = Math.ceil(count / rows);
    unit = Math.min(most, width / (columns * QUEUE_WIDE));
    if (unit >= least) break;
  }
  list.style.setProperty("--columns", columns);
  list.style.setProperty("--unit", `${unit.toFixed(2)}px`);
}

/** How close the tiles under /ui stand. */
export function density(count) {
  if (count <= 12) return "roomy";
  return count <= 60 ? "normal" : "compact";
}
