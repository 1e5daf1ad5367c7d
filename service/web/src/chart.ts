/** One ECharts drawing in an element: loaded late, resized with its element, disposed of when it leaves the page. */

import type { BarSeriesOption, HeatmapSeriesOption, LineSeriesOption } from "echarts/charts";
import type { GridComponentOption, TooltipComponentOption, VisualMapComponentOption } from "echarts/components";
import type { ComposeOption, ECharts } from "echarts/core";
import { h } from "./dom";

export type ChartOption = ComposeOption<
  BarSeriesOption | LineSeriesOption | HeatmapSeriesOption | GridComponentOption | TooltipComponentOption | VisualMapComponentOption
>;

export const INK = "#22303c";
export const MUTED = "#5f6c78";
export const LINE = "#e3e8ec";
export const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';

export class Chart {
  readonly root = h("div", { class: "chart", role: "img" });
  private drawing: Promise<ECharts> | null = null;
  private readonly sizes = new ResizeObserver(() => void this.drawing?.then((chart) => chart.resize()));

  /** @param pick called with the indices of the clicked item: [series' data index], or its value where that is a pair. */
  constructor(private readonly pick?: (value: unknown) => void) {}

  /** Draw; `label` says in words what is to be seen, `height` is in CSS pixels. The root must be in the page. */
  async draw(option: ChartOption, label: string, height: number): Promise<void> {
    this.root.setAttribute("aria-label", label);
    this.root.style.height = `${height}px`;
    this.drawing ??= this.start();
    const chart = await this.drawing;
    chart.resize();
    chart.setOption({ animation: false, textStyle: { fontFamily: FONT, color: INK }, ...option }, { notMerge: true });
  }

  dispose(): void {
    this.sizes.disconnect();
    void this.drawing?.then((chart) => chart.dispose());
    this.drawing = null;
  }

  private async start(): Promise<ECharts> {
    const { init } = await import("./charts");
    const chart = init(this.root);
    chart.on("click", (event) => this.pick?.(event.value));
    this.sizes.observe(this.root);
    return chart;
  }
}

/** A tooltip's content as elements: ECharts would read a string as markup. */
export function tip(title: string, lines: readonly (readonly [string, string])[]): HTMLElement {
  return h(
    "div",
    { class: "tip" },
    h("b", {}, title),
    h(
      "dl",
      {},
      lines.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    ),
  );
}

export const TOOLTIP: TooltipComponentOption = {
  backgroundColor: "#fff",
  borderColor: LINE,
  borderWidth: 1,
  padding: [8, 12],
  confine: true,
  transitionDuration: 0,
  textStyle: { color: INK, fontSize: 13 },
};
