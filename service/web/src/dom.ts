/** Elements from code. Text always goes in as text nodes, so nothing that the service answers can become markup. */

export type Child = Node | string | number | null | undefined | false | readonly Child[];
export interface Attributes {
  [name: string]: string | number | boolean | null | undefined | ((event: Event) => void);
}

/**
 * Make an element.
 *
 * @param attributes `on...` functions listen; true sets an empty attribute; false, null and undefined leave it out;
 *   names that begin with `--` set a CSS variable.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, String(value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (typeof child === "object" && !(child instanceof Node)) append(parent, child);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Put children in place of what an element holds. */
export function fill(parent: HTMLElement, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** Redraw a part of the page; the keyboard focus stays at the same place in it. */
export function keepFocus(root: HTMLElement, redraw: () => void): void {
  const path: number[] = [];
  for (let at = document.activeElement; at && at !== root && root.contains(at); at = at.parentElement) {
    path.unshift([...(at.parentElement?.children ?? [])].indexOf(at));
  }
  redraw();
  if (path.length === 0 || root.contains(document.activeElement)) return;
  const target = path.reduce<Element | undefined>((at, i) => at?.children[i], root);
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}

/** A row of buttons of which one is pressed. */
export function segmented<V extends string>(
  label: string,
  choices: readonly { value: V; name: string; title?: string; disabled?: boolean }[],
  chosen: V,
  choose: (value: V) => void,
): HTMLElement {
  return h(
    "div",
    { class: "segmented", role: "group", "aria-label": label },
    choices.map(({ value, name, title, disabled }) =>
      h(
        "button",
        { type: "button", "data-value": value, "aria-pressed": String(value === chosen), title, disabled, onclick: () => choose(value) },
        name,
      ),
    ),
  );
}

/** An `<option>`, chosen or not. */
export function option(value: string, name: string, chosen: string): HTMLOptionElement {
  return h("option", { value, selected: value === chosen }, name);
}
