/* A shape for each state, so that colour is never the only sign. Strokes on a 24 × 24 field. */

const SVG = "http://www.w3.org/2000/svg";

const SHAPES = {
  ready: "M5.5 12.5l4.2 4.2L18.5 7.8",
  talking: "M8.2 4.5H5.6c-.7 0-1.2.6-1.1 1.3.8 7 5.700 11.900 12.700 12.700.7.1 1.300-.4 1.300-1.100v-2.600c0-.5-.3-.9-.8-1.100l-2.700-.8c-.4-.1-.9 0-1.200.3l-1 1.100c-2-1-3.700-2.700-4.700-4.700l1.100-1c.3-.3.4-.8.3-1.200l-.8-2.700c-.1-.4-.5-.7-1-.7z",
  held: "M9 6.500v11M15 6.500v11",
  consulting: "M5 6h11v7h-6l-3 3v-3H5zM19 9.500v6h-2v2.500l-2.500-2.500H12",
  offered: "M6 16.500h12l-1.600-2.300v-3.700a4.400 4.400 0 0 0-8.800 0v3.700zM10.300 19.500h3.400M4 8.500a8 8 0 0 1 2.200-4M20 8.500a8 8 0 0 0-2.200-4",
  dialing: "M7 17L17 7M8.500 7H17v8.500",
  wrapup: "M5 19l.9-3.900L15.800 5.200l3 3L8.900 18.100z",
  not_ready: "M6 12h12",
  logged_out: "M12 12h.01",
  lost: "M9.800 14.200l-2 2a3.200 3.200 0 0 1-4.500-4.500l2.500-2.500M14.200 9.800l2-2a3.200 3.200 0 0 1 4.500 4.500l-2.500 2.500M5 4l14 16",
  help: "M9 9.500a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.01",
  warn: "M12 4.500L3 19.500h18zM12 10.500v4M12 17v.01",
  late: "M12 5.500a6.500 6.500 0 1 0 .01 0M12 8.500V12l2.500 1.500",
  auto: "M12 5a7 7 0 1 0 .01 0M12 5v14M15 6.200v11.600M18 9v6",
  light: "M12 8.500a3.500 3.500 0 1 0 .01 0M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M5.600 18.400L7 17M17 7l1.400-1.400",
  dark: "M18.500 14.500A7.500 7.500 0 0 1 9.500 5.500a7.500 7.500 0 1 0 9 9z",
};

/** An `<svg>` for decoration; what it says stands beside it as a word. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  draw(svg, name);
  return svg;
}

/** Change the shape of an `icon` in place. */
export function draw(svg, name) {
  svg.firstChild.setAttribute("d", SHAPES[name] ?? SHAPES.logged_out);
}
