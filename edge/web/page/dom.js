/* The little that is needed of a library: text only ever goes in as text, and what is on the screen is changed, not rebuilt. */

export const byId = (id) => document.getElementById(id);

/** An element with properties and children; null children are left out. */
export function make(tag, properties = {}, ...children) {
  const { data = {}, attributes = {}, ...plain } = properties;
  const element = Object.assign(document.createElement(tag), plain);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Writes only what changed, so that a selection, a focus and a screen reader are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/**
 * Keeps the children of `parent` in step with entries. `create(data)` gives `{root, update(data)}`; an entry keeps its
 * element for as long as its key is there.
 */
export function keyedList(parent, create) {
  const items = new Map();
  return (entries) => {
    const keys = new Set(entries.map(([key]) => key));
    for (const [key, item] of items) {
      if (keys.has(key)) continue;
      item.root.remove();
      items.delete(key);
    }
    let place = parent.firstElementChild;
    for (const [key, data] of entries) {
      const item = items.get(key) ?? create(data);
      items.set(key, item);
      if (item.root === place) place = place.nextElementSibling;
      else parent.insertBefore(item.root, place);
      item.update(data);
    }
  };
}
