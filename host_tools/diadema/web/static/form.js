/* Small parts that forms of ours are made of. */

export function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function button(className, word, press) {
  const element = make("button", className, word);
  element.type = "button";
  if (press) element.addEventListener("click", press);
  return element;
}

/** A control under its word. */
export function field(word, control) {
  return make("label", "field", make("span", "", word), control);
}

export function input(maxLength) {
  const element = make("input");
  element.maxLength = maxLength;
  element.required = true;
  element.autocomplete = "off";
  return element;
}

export function select(options) {
  const element = make("select");
  element.required = true;
  element.append(...options.map(([key, word]) => new Option(word, key)));
  return element;
}
