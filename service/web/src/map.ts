/** The tile map: one square for each of the 34 provincial units, placed by the table of regions. No borders are drawn. */

import { fill, h, keepFocus, segmented } from "./dom";
import { integer, rate, signed } from "./format";
import { legend } from "./legend";
import { OPEN, type Names } from "./names";
import { colorOf, isDark, METRICS, scaleFor, showMetric } from "./scale";
import type { Section } from "./section";
import { state, update, type Metric } from "./state";
import type { HeatCell, Heatmap, Hotspot, Region } from "./types";

interface Tile {
  column: number;
  row: number;
  button: HTMLButtonElement;
}

export class TileMap {
  private answer: Heatmap | null = null;
  private open = new Map<string, number>();
  private tiles: Tile[] = [];
  /** The tile that the Tab key reaches; the arrow keys move on from it. */
  private current = "";

  constructor(
    private readonly section: Section,
    private readonly names: Names,
  ) {}

  showHeatmap(answer: Heatmap): void {
    this.answer = answer;
    this.draw();
  }

  /** Mark the provinces in which hotspots are open. */
  showHotspots(hotspots: readonly Hotspot[]): void {
    this.open.clear();
    for (const hotspot of hotspots) {
      if (!OPEN.includes(hotspot.status)) continue;
      const provinces = new Set(hotspot.regions.map((code) => `${code.slice(0, 2)}0000`));
      for (const code of provinces) this.open.set(code, (this.open.get(code) ?? 0) + 1);
    }
    this.draw();
  }

  draw(): void {
    keepFocus(this.section.root, () => this.redraw());
  }

  private redraw(): void {
    const answer = this.answer;
    if (!answer) return;
    const { metric } = state();
    const cells = new Map(answer.cells.map((cell) => [cell.region, cell]));
    const scale = scaleFor(
      metric,
      answer.cells.map((cell) => cell[metric]),
    );
    this.tiles = this.names.provinces.flatMap((province) => {
      const cell = cells.get(province.adcode);
      if (!province.tile || !cell) return [];
      const [column, row] = province.tile;
      return [{ column, row, button: this.tile(province, cell, metric, colorOf(scale, metric, cell[metric])) }];
    });
    if (!this.tiles.some(({ button }) => button.dataset["region"] === this.current)) {
      this.current = this.tiles[0]?.button.dataset["region"] ?? "";
    }
    for (const { button } of this.tiles) button.tabIndex = button.dataset["region"] === this.current ? 0 : -1;
    const columns = Math.max(0, ...this.tiles.map((tile) => tile.column)) + 1;
    fill(this.section.tools, this.switch(metric));
    fill(
      this.section.body,
      h(
        "div",
        {
          class: "map",
          role: "group",
          "aria-label": `各省${METRICS[metric].name}，方向键移动，回车打开`,
          "--columns": columns,
          onkeydown: (event) => this.move(event),
        },
        this.tiles.map((tile) => tile.button),
      ),
      h(
        "footer",
        { class: "map-foot" },
        legend(scale, metric),
        h(
          "p",
          { class: "unlocated", title: "没有写明地区、也无法从正文推断地区的投诉，计入总数，不上图" },
          "未定位投诉 ",
          h("b", {}, integer(answer.unlocated)),
          " 件",
        ),
      ),
      h("p", { class: "hint" }, `${METRICS[metric].hint}。方块只示意相对位置，不是地图；▲ 为该地进行中的热点。`),
    );
  }

  /** Press the tile of the province that the panel shows, without drawing anew. */
  select(adcode: string): void {
    for (const { button } of this.tiles) button.setAttribute("aria-pressed", String(button.dataset["region"] === adcode));
  }

  private switch(metric: Metric): HTMLElement {
    const choices = (Object.keys(METRICS) as Metric[]).map((value) => ({ value, name: METRICS[value].name, title: METRICS[value].hint }));
    return segmented("着色指标", choices, metric, (value) => update({ metric: value }, "replace"));
  }

  private tile(province: Region, cell: HeatCell, metric: Metric, color: string): HTMLButtonElement {
    const hot = this.open.get(province.adcode) ?? 0;
    const label = [
      `${province.name}：投诉 ${cell.count} 件`,
      `每百万人每日 ${rate(cell.rate)}`,
      `超出常态 ${signed(cell.exceedance)}`,
      cell.top_category ? `最多为${this.names.category(cell.top_category)}` : "",
      hot ? `进行中的热点 ${hot} 个` : "",
    ].filter(Boolean);
    return h(
      "button",
      {
        type: "button",
        class: isDark(color) ? "tile dark" : "tile",
        "data-region": province.adcode,
        "aria-label": label.join("，"),
        "aria-pressed": String(state().region === province.adcode),
        title: label.join("\n"),
        "--color": color,
        "--column": province.tile ? province.tile[0] + 1 : 1,
        "--row": province.tile ? province.tile[1] + 1 : 1,
        onclick: () => update({ region: province.adcode, hotspot: "" }),
        onfocus: () => this.reach(province.adcode),
      },
      h("span", { class: "tile-name" }, province.short),
      h("span", { class: "tile-value" }, showMetric(metric, cell[metric])),
      hot > 0 && h("span", { class: "tile-hot", "aria-hidden": "true" }, "▲", h("b", {}, hot)),
    );
  }

  private reach(adcode: string): void {
    this.current = adcode;
    for (const { button } of this.tiles) button.tabIndex = button.dataset["region"] === adcode ? 0 : -1;
  }

  private move(event: Event): void {
    if (!(event instanceof KeyboardEvent)) return;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const from = this.tiles.find(({ button }) => button === event.target);
    if (!direction || !from) return;
    const [x = 0, y = 0] = direction;
    // The nearest tile ahead; going aside costs more than going on.
    const cost = (tile: Tile): number => {
      const [right, down] = [tile.column - from.column, tile.row - from.row];
      const ahead = right * x + down * y;
      return ahead > 0 ? ahead + 3 * Math.abs(right * y + down * x) : Infinity;
    };
    const target = this.tiles.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), from);
    event.preventDefault();
    if (cost(target) < Infinity) target.button.focus();
  }
}
