/** What the page shows, kept in the URL query so that a view can be shared and the back button works. */

import { addDays, isDay, today } from "./format";
import type { Query } from "./api";
import type { Step } from "./types";

export type Metric = "count" | "rate" | "exceedance";
export type Rows = "groups" | "top" | "all";
export type Range = "7" | "30" | "90" | "custom";

export interface State {
  range: Range;
  /** First and last day of a custom range. */
  from: string;
  to: string;
  category: string;
  channel: string;
  metric: Metric;
  step: Step;
  /** Rows of the matrix. */
  rows: Rows;
  /** What the side panel shows: a province's adcode, or a hotspot's id; both empty = closed. */
  region: string;
  hotspot: string;
}

const DEFAULTS: State = {
  range: "30",
  from: "",
  to: "",
  category: "",
  channel: "",
  metric: "count",
  step: "day",
  rows: "top",
  region: "",
  hotspot: "",
};

const CHOICES: { [K in keyof State]?: readonly State[K][] } = {
  range: ["7", "30", "90", "custom"],
  metric: ["count", "rate", "exceedance"],
  step: ["day", "hour"],
  rows: ["groups", "top", "all"],
};

/** Longest range shown by the hour; 31 days are 744 points. */
const HOURLY_DAYS = 31;

type Listener = (now: State, before: State) => void;

let current = read();
const listeners: Listener[] = [];

export const state = (): State => current;

export function onChange(listener: Listener): void {
  listeners.push(listener);
}

/** Change the view and write it to the URL. `replace` leaves no entry in the browser's history. */
export function update(change: Partial<State>, how: "push" | "replace" = "push"): void {
  const before = current;
  current = tidy({ ...current, ...change });
  const url = new URL(location.href);
  url.search = search(current);
  if (url.href !== location.href) history[how === "push" ? "pushState" : "replaceState"](null, "", url);
  for (const listener of listeners) listener(current, before);
}

window.addEventListener("popstate", () => {
  const before = current;
  current = read();
  for (const listener of listeners) listener(current, before);
});

function read(): State {
  const found: State = { ...DEFAULTS };
  const parameters = new URLSearchParams(location.search);
  for (const name of Object.keys(DEFAULTS) as (keyof State)[]) {
    const value = parameters.get(name);
    const choices: readonly string[] | undefined = CHOICES[name];
    if (value !== null && (!choices || choices.includes(value))) Object.assign(found, { [name]: value });
  }
  return tidy(found);
}

function tidy(wanted: State): State {
  const found = { ...wanted };
  if (found.range !== "custom" || !isDay(found.from) || !isDay(found.to)) {
    found.range = found.range === "custom" ? DEFAULTS.range : found.range;
    found.from = found.to = "";
  } else if (found.from > found.to) {
    [found.from, found.to] = [found.to, found.from];
  }
  if (days(found) > HOURLY_DAYS) found.step = "day";
  return found;
}

function search(shown: State): string {
  const parameters = new URLSearchParams();
  for (const name of Object.keys(DEFAULTS) as (keyof State)[]) {
    if (shown[name] !== DEFAULTS[name]) parameters.set(name, shown[name]);
  }
  return parameters.toString();
}

/** The days that the chosen range stands for, today in Beijing included. */
export function span(of: State = current): { from: string; to: string } {
  if (of.range === "custom") return { from: of.from, to: of.to };
  const to = today();
  return { from: addDays(to, 1 - Number(of.range)), to };
}

/** Days in the range. */
export function days(of: State = current): number {
  const { from, to } = span(of);
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
}

export const canShowHours = (): boolean => days() <= HOURLY_DAYS;

/** The filters as a query of the API. */
export function query(of: State = current): Query {
  return { ...span(of), category: of.category, channel: of.channel };
}

/** Whole weeks by which an earlier range of the same length lies back, so that weekdays meet weekdays. */
export const weeksBefore = (of: State = current): number => Math.ceil(days(of) / 7);

/** The same filters over an earlier range; see `weeksBefore`. */
export function queryBefore(of: State = current): Query {
  const { from, to } = span(of);
  const back = -7 * weeksBefore(of);
  return { ...query(of), from: addDays(from, back), to: addDays(to, back) };
}
