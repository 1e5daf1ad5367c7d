/** Who signs verdicts and corrections on this machine; remembered so that nobody types it twice. */

const KEY = "triage.person";

export const person = (): string => localStorage.getItem(KEY) ?? "";
export const rememberPerson = (name: string): void => localStorage.setItem(KEY, name);
