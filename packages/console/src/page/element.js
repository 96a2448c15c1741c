/** Makes an element. What is put into it as text stays text. */
export function element(tag, attributes = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Sets a text only where it differs, so that a selection in it is kept. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Brings the children of a list in line with items. A row that stays is kept, and with it the focus.
 *
 * @param create - Makes a row of an item: `{ node, update(item) }`. `update` is called for a new one too.
 */
export function syncRows(list, rows, items, keyOf, create) {
  const keys = new Set(items.map(keyOf));
  for (const [key, row] of rows) {
    if (keys.has(key)) continue;
    row.node.remove();
    rows.delete(key);
  }
  let next = list.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const row = rows.get(key) ?? create(item);
    rows.set(key, row);
    row.update(item);
    if (row.node === next) next = next.nextSibling;
    else list.insertBefore(row.node, next);
  }
}
