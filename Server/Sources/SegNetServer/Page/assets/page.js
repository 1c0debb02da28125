// Elements of index.html, and what the page says to screen readers.

export function element(id) {
  return document.getElementById(id);
}

/** Says it where a screen reader announces it when it has time. */
export function announce(text) {
  element("status").textContent = text;
}

/** A new element with text and attributes. */
export function make(tag, { text, className, ...attributes } = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
