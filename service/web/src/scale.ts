/**
 * Colour classes. One blue hue from light to dark for amounts; blue - grey - orange for exceedance: both stay apart for readers
 * with any of the common colour vision deficiencies, and every coloured tile also shows its number.
 */

import { decimal, integer, rate, signed } from "./format";
import type { Metric } from "./state";

export interface Scale {
  /** Lower bounds of the classes after the first. */
  readonly breaks: readonly number[];
  readonly colors: readonly string[];
  readonly labels: readonly string[];
}

export const EMPTY = "#f1f3f5";
const SEQUENTIAL = ["#e6eff7", "#c8dcec", "#9fc1dd", "#6c9dc7", "#3a74a8", "#1b4f80"] as const;
const DIVERGING = ["#5d97c4", "#b3d0e5", "#eceef0", "#fbd8b0", "#f0a05a", "#bf4f0b"] as const;
/** In standard deviations of a Poisson count; within ±2 is what chance alone brings about in 19 of 20 cases. */
const DIVERGING_BREAKS = [-4, -2, 2, 4, 8] as const;
const DIVERGING_LABELS = ["低于 −4", "−4 ~ −2", "常态 ±2", "2 ~ 4", "4 ~ 8", "高于 8"] as const;

export const METRICS: Record<Metric, { name: string; unit: string; hint: string }> = {
  count: { name: "件数", unit: "件", hint: "所选时段内的投诉件数" },
  rate: { name: "人均", unit: "每百万人每日", hint: "每百万常住人口每日的投诉件数（2020 年普查人口）" },
  exceedance: {
    name: "超出常态",
    unit: "标准差",
    hint: "与前一个等长时段相比，(实际 − 预期) ÷ √预期；±2 之内属正常波动",
  },
};

export function scaleFor(metric: Metric, values: readonly (number | null)[]): Scale {
  if (metric === "exceedance") return { breaks: DIVERGING_BREAKS, colors: DIVERGING, labels: DIVERGING_LABELS };
  const breaks = quantileBreaks(
    values.filter((value): value is number => value !== null && value > 0),
    SEQUENTIAL.length,
  );
  const colors = SEQUENTIAL.slice(SEQUENTIAL.length - 1 - breaks.length);
  const show = metric === "count" ? integer : rate;
  const labels = colors.map((_, i) => {
    const [low, high] = [breaks[i - 1], breaks[i]];
    if (low === undefined) return high === undefined ? "有投诉" : `< ${show(high)}`;
    return high === undefined ? `≥ ${show(low)}` : `${show(low)} ~ ${show(high)}`;
  });
  return { breaks, colors, labels };
}

/** Bounds that part the values into about equally large classes, rounded to numbers that can be read; fewer where values are few. */
function quantileBreaks(values: readonly number[], classes: number): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const found: number[] = [];
  for (let i = 1; i < classes; i++) {
    const value = rounded(sorted[Math.floor((sorted.length * i) / classes)] ?? 0);
    const last = found[found.length - 1];
    if (value > (sorted[0] ?? 0) && (last === undefined || value > last)) found.push(value);
  }
  return found;
}

/** 1347 -> 1300, 0.0284 -> 0.028. */
const rounded = (value: number): number => Number(value.toPrecision(2));

function classOf(scale: Scale, value: number): number {
  let i = 0;
  while (i < scale.breaks.length && value >= (scale.breaks[i] ?? Infinity)) i++;
  return i;
}

export function colorOf(scale: Scale, metric: Metric, value: number | null): string {
  if (value === null || (metric !== "exceedance" && value === 0)) return EMPTY;
  return scale.colors[classOf(scale, value)] ?? EMPTY;
}

/** Whether text on this colour must be white to be read. */
export function isDark(color: string): boolean {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255) as [number, number, number];
  return 0.2126 * r ** 2.2 + 0.7152 * g ** 2.2 + 0.0722 * b ** 2.2 < 0.2;
}

export function showMetric(metric: Metric, value: number | null): string {
  if (metric === "exceedance") return signed(value);
  return metric === "rate" ? rate(value) : value === null ? "—" : integer(value);
}

/** (count - expected) / sqrt(expected), as the service has it for whole regions. */
export function exceedance(count: number, expected: number | null): number | null {
  return expected === null ? null : (count - expected) / Math.sqrt(Math.max(expected, 1));
}

export const showExpected = (expected: number | null): string => (expected === null ? "—" : decimal(expected));
