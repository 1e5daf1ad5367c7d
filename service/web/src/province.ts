/** One province in the side panel: figures, hotspots, cities, categories, trend, complaints. */

import * as api from "./api";
import { Problem } from "./api";
import { ComplaintList } from "./complaints";
import { fill, h, type Child } from "./dom";
import { integer, percent, rate, signed, signedPercent } from "./format";
import { figure } from "./hotspot";
import { hotspotItems } from "./hotspots";
import { arrow } from "./kpi";
import { OPEN, type Names } from "./names";
import { empty, failure, isAbort, skeleton } from "./section";
import { query, state, update } from "./state";
import { TrendChart } from "./trend";
import type { HeatCell, Heatmap, HotspotList, Issue } from "./types";

const FIRST = 8;

/** What the page as a whole knows already. */
export interface Known {
  heatmap: Promise<Heatmap>;
  hotspots: Promise<HotspotList>;
}

export class ProvinceDetail {
  readonly root = h("div", { class: "detail" });
  private readonly controller = new AbortController();
  private readonly trend = new TrendChart(170);

  constructor(
    private readonly names: Names,
    private readonly adcode: string,
    private readonly corrected: () => void,
  ) {}

  show(known: Known): void {
    const { adcode, names } = this;
    const asked = { ...query(), region: adcode };
    const { signal } = this.controller;
    const [top, hot, trend, issues, cities] = [block(), block(), block(), block(), block()];
    const list = new ComplaintList(names, asked, { limit: 10, choices: true, corrected: this.corrected });
    fill(
      this.root,
      top,
      hot,
      h("h3", {}, "趋势"),
      trend,
      h("h3", {}, "主要类别"),
      issues,
      h("h3", {}, "地市"),
      cities,
      h("h3", {}, "最近投诉"),
      list.root,
    );
    void into(top, known.heatmap, (answer) => this.figures(answer.cells.find((cell) => cell.region === adcode)));
    void into(hot, known.hotspots, (all) => {
      const here = all.hotspots.filter(
        (one) => OPEN.includes(one.status) && one.regions.some((code) => code.slice(0, 2) === adcode.slice(0, 2)),
      );
      return here.length > 0 && [h("h3", {}, "进行中的热点"), hotspotItems(here)];
    });
    void into(trend, api.trend(asked, state().step, signal), (points) => {
      // The chart measures its element, so it draws once that is in the page.
      queueMicrotask(() => this.trend.draw({ step: state().step, points, before: null }));
      return this.trend.root;
    });
    void into(issues, api.issues(asked, FIRST, signal), (found) => this.issues(found));
    void into(cities, api.heatmap(asked, signal), (answer) => this.cities(answer));
    void list.load();
  }

  dispose(): void {
    this.controller.abort();
    this.trend.dispose();
  }

  private figures(cell: HeatCell | undefined): Child {
    if (!cell) return empty("所选时段没有数据。");
    return h(
      "div",
      { class: "facts" },
      figure("投诉", integer(cell.count), "件"),
      figure("严重及以上", cell.count ? percent(cell.severe / cell.count) : "—", ""),
      figure("每百万人每日", rate(cell.rate), "件"),
      figure("超出常态", signed(cell.exceedance), ""),
    );
  }

  private issues(found: readonly Issue[]): Child {
    if (found.length === 0) return empty("所选时段没有投诉。");
    const most = Math.max(...found.map((issue) => issue.count));
    return bars(
      found.map((issue) => ({
        name: issue.name,
        share: issue.count / most,
        value: integer(issue.count),
        note: issue.change === null ? "新" : [arrow(issue.change), signedPercent(issue.change)],
        press: () => update({ category: issue.category }),
        title: "按此类别筛选",
      })),
    );
  }

  private cities(answer: Heatmap, whole = false): Child {
    const { cells, unlocated } = answer;
    if (cells.every((cell) => cell.region === this.adcode)) return empty("该地区不分地市。");
    const found = cells.filter((cell) => cell.count > 0).sort((a, b) => b.count - a.count);
    if (found.length === 0) return empty("所选时段没有写明地市的投诉。");
    const most = found[0]?.count ?? 1;
    const shown = whole ? found : found.slice(0, FIRST);
    const list = h("div", {});
    fill(
      list,
      bars(
        shown.map((cell) => ({
          name: cell.name,
          share: cell.count / most,
          value: integer(cell.count),
          note: cell.top_category ? this.names.category(cell.top_category) : "",
        })),
      ),
      found.length > FIRST &&
        h(
          "button",
          { type: "button", class: "button quiet", onclick: () => list.replaceWith(asNode(this.cities(answer, !whole))) },
          whole ? "收起" : `显示全部 ${found.length} 个地市`,
        ),
      unlocated > 0 && h("p", { class: "hint" }, `另有 ${integer(unlocated)} 件未写明地市`),
    );
    return list;
  }
}

interface Bar {
  name: string;
  /** 0-1 of the longest. */
  share: number;
  value: string;
  note: Child;
  title?: string;
  press?: () => void;
}

function bars(items: readonly Bar[]): HTMLElement {
  return h(
    "ul",
    { class: "bars" },
    items.map(({ name, share, value, note, title, press }) =>
      h(
        "li",
        { "--share": share },
        press
          ? h("button", { type: "button", class: "link bars-name", title, onclick: press }, name)
          : h("span", { class: "bars-name" }, name),
        h("span", { class: "bar", "aria-hidden": "true" }),
        h("b", {}, value),
        h("span", { class: "bars-note" }, note),
      ),
    ),
  );
}

const block = (): HTMLElement => h("div", { class: "block" }, skeleton());
const asNode = (child: Child): Node => (child instanceof Node ? child : document.createTextNode(""));

async function into<T>(host: HTMLElement, work: Promise<T>, make: (value: T) => Child): Promise<void> {
  try {
    fill(host, make(await work));
  } catch (error) {
    if (isAbort(error)) return;
    if (!(error instanceof Problem)) throw error;
    fill(host, failure(error));
  }
}
