/** Category x region. On a narrow screen the regions run down and the groups of categories across. */

import { Chart, INK, TOOLTIP, tip, type ChartOption } from "./chart";
import { fill, h, keepFocus, segmented } from "./dom";
import { integer, rate, signed } from "./format";
import { legend } from "./legend";
import type { Names } from "./names";
import { colorOf, exceedance, METRICS, scaleFor, showExpected, type Scale } from "./scale";
import { empty, type Section } from "./section";
import { days, state, update, type Metric, type Rows } from "./state";
import type { Matrix } from "./types";

const TOP = 20;
const ROW = 24; // CSS pixels
const NARROW = window.matchMedia("(max-width: 760px)");
const ROWS: Record<Rows, string> = { groups: "大类", top: `前 ${TOP} 类`, all: "全部类别" };

/** One row: a category, or a group of them. */
interface Row {
  key: string;
  name: string;
  counts: number[];
  expected: (number | null)[];
}

export class MatrixView {
  private answer: Matrix | null = null;
  private shown: { rows: Row[]; upright: boolean } = { rows: [], upright: false };
  private readonly chart = new Chart((value) => this.pick(value));

  constructor(
    private readonly section: Section,
    private readonly names: Names,
  ) {
    NARROW.addEventListener("change", () => this.draw());
  }

  show(answer: Matrix): void {
    this.answer = answer;
    this.draw();
  }

  draw(): void {
    keepFocus(this.section.root, () => this.redraw());
  }

  private redraw(): void {
    if (!this.answer) return;
    const upright = NARROW.matches;
    const kind: Rows = upright ? "groups" : state().rows;
    const rows = this.rows(this.answer, kind);
    const { metric } = state();
    const choices = (Object.keys(ROWS) as Rows[]).map((value) => ({ value, name: ROWS[value] }));
    fill(this.section.tools, upright ? null : segmented("矩阵的行", choices, kind, (value) => update({ rows: value }, "replace")));
    if (rows.length === 0) {
      fill(this.section.body, empty("所选时段没有投诉。"));
      return;
    }
    const values = rows.map((row) => row.counts.map((_, j) => this.value(row, j, metric)));
    const scale = scaleFor(metric, values.flat());
    this.shown = { rows, upright };
    fill(this.section.body, legend(scale, metric), this.chart.root);
    const label = `类别与地区的${METRICS[metric].name}矩阵：${rows.length} 行 ${this.answer.regions.length} 个地区，件数最多的是 ${rows[0]?.name ?? ""}`;
    const height = upright ? this.answer.regions.length * 20 + 96 : rows.length * ROW + 58;
    void this.chart.draw(this.option(values, scale), label, height);
  }

  /** The rows to show, those with most complaints first. */
  private rows(answer: Matrix, kind: Rows): Row[] {
    const wanted = state().category;
    const group = wanted ? this.names.group(wanted) : "";
    let rows: Row[] = answer.categories.map(({ key, name }, i) => ({
      key,
      name,
      counts: answer.counts[i] ?? [],
      expected: answer.expected[i] ?? answer.regions.map(() => null),
    }));
    if (kind === "groups") rows = this.grouped(rows);
    else if (group) rows = rows.filter((row) => this.names.group(row.key) === group);
    const total = (row: Row): number => row.counts.reduce((sum, count) => sum + count, 0);
    rows = rows.filter((row) => total(row) > 0).sort((a, b) => total(b) - total(a));
    return kind === "top" ? rows.slice(0, TOP) : rows;
  }

  private grouped(rows: readonly Row[]): Row[] {
    const groups = new Map<string, Row>();
    for (const row of rows) {
      const key = this.names.group(row.key);
      const group = groups.get(key);
      if (!group) {
        groups.set(key, { key, name: this.names.category(key), counts: [...row.counts], expected: [...row.expected] });
        continue;
      }
      group.counts = group.counts.map((count, j) => count + (row.counts[j] ?? 0));
      group.expected = group.expected.map((value, j) => (value === null ? null : value + (row.expected[j] ?? 0)));
    }
    return [...groups.values()];
  }

  private value(row: Row, j: number, metric: Metric): number | null {
    const count = row.counts[j] ?? 0;
    if (metric === "count") return count;
    if (metric === "exceedance") return exceedance(count, row.expected[j] ?? null);
    const population = this.names.region(this.answer?.regions[j]?.adcode ?? "")?.population;
    return population ? (count / population / days()) * 1e6 : null;
  }

  private option(values: (number | null)[][], scale: Scale): ChartOption {
    const { rows, upright } = this.shown;
    const { metric, category } = state();
    const regions = this.answer?.regions ?? [];
    const down = (text: string): string => [...text].join("\n");
    const rowAxis = {
      type: "category",
      data: rows.map((row) => row.name),
      axisTick: { show: false },
      axisLine: { show: false },
      inverse: !upright,
      ...(upright ? { position: "top" } : {}),
      axisLabel: {
        interval: 0,
        fontSize: 12,
        lineHeight: 13,
        color: (_: unknown, i?: number) => (i !== undefined && rows[i]?.key === category ? "#a6400a" : INK),
        ...(upright ? { formatter: (name: string) => down(name) } : {}),
      },
    } as const;
    const regionAxis = {
      type: "category",
      data: regions.map((region) => region.name),
      axisTick: { show: false },
      axisLine: { show: false },
      inverse: upright,
      position: upright ? "left" : "top",
      axisLabel: { interval: 0, color: INK, fontSize: 12, lineHeight: 13, ...(upright ? {} : { formatter: (name: string) => down(name) }) },
    } as const;
    const data = values.flatMap((line, i) =>
      line.map((value, j) => ({
        value: upright ? [i, j, value ?? 0] : [j, i, value ?? 0],
        itemStyle: { color: colorOf(scale, metric, value), borderColor: "#fff", borderWidth: 1 },
      })),
    );
    return {
      grid: { left: 2, right: 2, top: 2, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: { ...TOOLTIP, formatter: (item: unknown) => this.tip((item as { value: unknown }).value) },
      xAxis: upright ? { ...rowAxis, position: "top" } : { ...regionAxis, position: "top" },
      yAxis: upright ? { ...regionAxis, position: "left" } : { ...rowAxis, position: "left" },
      // Each cell carries its own colour; ECharts only insists that a heat map has a visual map.
      visualMap: { show: false, type: "continuous", min: 0, max: 1, seriesIndex: [] },
      series: [{ type: "heatmap", data, emphasis: { itemStyle: { borderColor: INK, borderWidth: 1.5 } } }],
    };
  }

  private locate(value: unknown): { row: Row; j: number } | null {
    if (!Array.isArray(value)) return null;
    const [x, y] = value as number[];
    const [i, j] = this.shown.upright ? [x, y] : [y, x];
    const row = i === undefined ? undefined : this.shown.rows[i];
    return row && j !== undefined ? { row, j } : null;
  }

  private tip(value: unknown): HTMLElement | string {
    const found = this.locate(value);
    if (!found) return "";
    const { row, j } = found;
    return tip(`${this.answer?.regions[j]?.name ?? ""} · ${row.name}`, [
      ["投诉", `${integer(row.counts[j] ?? 0)} 件`],
      ["按前一时段预期", `${showExpected(row.expected[j] ?? null)} 件`],
      ["超出常态", signed(this.value(row, j, "exceedance"))],
      ["每百万人每日", rate(this.value(row, j, "rate"))],
    ]);
  }

  private pick(value: unknown): void {
    const found = this.locate(value);
    const region = found && this.answer?.regions[found.j]?.adcode;
    if (found && region) update({ region, hotspot: "", category: found.row.key });
  }
}

export const matrixHint = (): HTMLElement => h("span", {}, "颜色随上图的着色指标；点一格，看该地该类的投诉。");
