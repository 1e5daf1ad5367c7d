/** Who works at this page: the access key where the service asks for one, else the name that signs verdicts and corrections. */

import { h } from "./dom";

const NAME = "triage.person";
const KEY = "triage.key";

/** The access key, kept until the tab is closed; empty = none. */
export const accessKey = (): string => sessionStorage.getItem(KEY) ?? "";
export const rememberKey = (key: string): void => sessionStorage.setItem(KEY, key);
export const forgetKey = (): void => sessionStorage.removeItem(KEY);

/** A field for the name, filled with the last one given; null where the key already says who it is. */
export function nameField(): HTMLInputElement | null {
  if (accessKey()) return null;
  return h("input", { name: "person", required: true, maxlength: 50, autocomplete: "name", value: localStorage.getItem(NAME) ?? "" });
}

/** The name in the field, remembered so that nobody types it twice; empty where the key signs. */
export function signature(field: HTMLInputElement | null): string {
  if (!field) return "";
  const name = field.value.trim();
  localStorage.setItem(NAME, name);
  return name;
}
