/** Complaints over time: all, severe ones, and those of the same weekdays earlier. */

import { Chart, INK, LINE, MUTED, TOOLTIP, tip, type ChartOption } from "./chart";
import { h } from "./dom";
import { dateTime, dayName, integer, today } from "./format";
import type { Step, TrendPoint } from "./types";

const ALL = "#8fb4d6";
const ALL_LINE = "#3a74a8";
const SEVERE = "#bf4f0b";
const BEFORE = "#7d8994";

export interface Trend {
  step: Step;
  points: TrendPoint[];
  /** The same weekdays so many days earlier; null where they are not shown. */
  before: { points: TrendPoint[]; days: number } | null;
}

export class TrendChart {
  readonly root = h("div", {});
  private readonly chart = new Chart();

  constructor(private readonly height: number) {}

  /** The root must be in the page. */
  draw(trend: Trend): void {
    const { step, points } = trend;
    const before = trend.before?.points.some((point) => point.count > 0) ? trend.before : null;
    const unfinished = step === "day" && points.at(-1)?.time.slice(0, 10) === today();
    this.root.replaceChildren(key(before?.days ?? null, unfinished), this.chart.root);
    const total = points.reduce((sum, point) => sum + point.count, 0);
    const peak = points.reduce<TrendPoint | null>((best, point) => (!best || point.count > best.count ? point : best), null);
    const label = `趋势：共 ${integer(total)} 件${peak ? `，最高 ${name(peak, step)} ${integer(peak.count)} 件` : ""}`;
    void this.chart.draw(option({ ...trend, before }, unfinished), label, this.height);
  }

  dispose(): void {
    this.chart.dispose();
  }
}

function key(back: number | null, unfinished: boolean): HTMLElement {
  const entry = (shape: string, color: string, text: string): HTMLElement =>
    h("span", { class: "legend-class" }, h("i", { class: shape, "--color": color }), text);
  return h(
    "div",
    { class: "legend", "aria-hidden": "true" },
    entry("", ALL, "投诉"),
    entry("", SEVERE, "其中严重及以上"),
    back !== null && entry("dash", BEFORE, `${back} 天前（同星期）`),
    unfinished && h("span", { class: "legend-class muted" }, "今日未满一天"),
  );
}

const name = (point: TrendPoint, step: Step): string => (step === "day" ? dayName(point.time.slice(0, 10)) : dateTime(point.time));

function option({ step, points, before }: Trend, unfinished: boolean): ChartOption {
  const last = points.length - 1;
  const lines = { type: "line", symbol: "none", lineStyle: { width: 1.5 } } as const;
  const bars = { type: "bar", barGap: "-100%", barMaxWidth: 22, barCategoryGap: "28%" } as const;
  const counts = points.map((point, i) => ({
    value: point.count,
    ...(unfinished && i === last ? { itemStyle: { opacity: 0.5 } } : {}),
  }));
  const severe = points.map((point) => point.severe);
  return {
    grid: { left: 4, right: 8, top: 12, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      ...TOOLTIP,
      trigger: "axis",
      axisPointer: { type: step === "day" ? "shadow" : "line" },
      formatter: (items: unknown) => {
        const i = (Array.isArray(items) ? (items[0] as { dataIndex: number }) : { dataIndex: -1 }).dataIndex;
        const point = points[i];
        if (!point) return "";
        const old = before?.points[i];
        return tip(name(point, step), [
          ["投诉", `${integer(point.count)} 件`],
          ["严重及以上", `${integer(point.severe)} 件`],
          ["负面情感", `${integer(point.negative)} 件`],
          ...(old ? ([[name(old, step), `${integer(old.count)} 件`]] as const) : []),
        ]);
      },
    },
    xAxis: {
      type: "category",
      data: points.map((point) =>
        step === "day" ? `${Number(point.time.slice(5, 7))}/${Number(point.time.slice(8, 10))}` : dateTime(point.time),
      ),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: LINE } },
      axisLabel: { color: MUTED, fontSize: 12, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      minInterval: 1,
      splitNumber: 4,
      splitLine: { lineStyle: { color: LINE } },
      axisLabel: { color: MUTED, fontSize: 12 },
    },
    series: [
      step === "day"
        ? { ...bars, name: "投诉", data: counts, itemStyle: { color: ALL, borderRadius: [2, 2, 0, 0] } }
        : { ...lines, name: "投诉", data: counts, itemStyle: { color: ALL_LINE }, areaStyle: { color: ALL, opacity: 0.35 } },
      step === "day"
        ? { ...bars, name: "严重", data: severe, itemStyle: { color: SEVERE } }
        : { ...lines, name: "严重", data: severe, itemStyle: { color: SEVERE } },
      ...(before
        ? [
            {
              ...lines,
              name: "此前",
              data: before.points.map((point) => point.count),
              itemStyle: { color: BEFORE },
              lineStyle: { width: 1.5, type: "dashed", color: BEFORE },
            } as const,
          ]
        : []),
    ],
    textStyle: { color: INK },
  };
}
