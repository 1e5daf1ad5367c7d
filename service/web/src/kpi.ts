/** The figures on top. */

import { fill, h, type Child } from "./dom";
import { integer, percent, signedPercent } from "./format";
import { OPEN } from "./names";
import type { ComplaintPage, Heatmap, HotspotList } from "./types";
import { isAbort } from "./section";
import { Problem } from "./api";

/** The review share is that of the latest complaints: the service counts no more than it lists. */
export const REVIEW_SAMPLE = 100;

type Card = (label: string, value: Child, note: Child, tone?: "warm") => void;

export class Kpis {
  readonly root = h("div", { class: "kpis", role: "list", "aria-label": "关键指标" });
  private readonly cards = {
    total: this.card("total"),
    severe: this.card("severe"),
    review: this.card("review"),
    open: this.card("open"),
    precision: this.card("precision"),
  };

  constructor() {
    this.cards.total("投诉量", "…", "正在加载");
    this.cards.severe("严重及以上", "…", "正在加载");
    this.cards.review("待人工复核", "…", "正在加载");
    this.cards.open("进行中的热点", "…", "正在加载");
    this.cards.precision("预警准确率", "…", "正在加载");
  }

  followHeatmap(work: Promise<Heatmap>): void {
    void settle(work, (answer) => {
      if (!answer) {
        this.cards.total("投诉量", "—", "读取失败");
        this.cards.severe("严重及以上", "—", "读取失败");
        return;
      }
      const known = answer.cells.filter((cell) => cell.expected !== null);
      const located = sum(answer.cells.map((cell) => cell.count));
      const expected = sum(known.map((cell) => cell.expected ?? 0));
      const change = expected > 0 ? sum(known.map((cell) => cell.count)) / expected - 1 : null;
      const severe = sum(answer.cells.map((cell) => cell.severe));
      const note = change === null ? "没有可比的前一时段" : [arrow(change), ` ${signedPercent(change)}　较前一时段`];
      this.cards.total("投诉量", [integer(answer.total), h("small", {}, "件")], note);
      this.cards.severe("严重及以上", located ? percent(severe / located) : "—", `${integer(severe)} 件，严重或重大`);
    });
  }

  followReview(work: Promise<ComplaintPage>): void {
    void settle(work, (page) => {
      const n = page?.complaints.length ?? 0;
      const waiting = page?.complaints.filter((record) => record.triage.needs_review).length ?? 0;
      const note = !page ? "读取失败" : n === 0 ? "所选时段没有投诉" : `最近 ${n} 件中的 ${waiting} 件`;
      this.cards.review("待人工复核", n ? percent(waiting / n) : "—", note);
    });
  }

  followHotspots(work: Promise<HotspotList>): void {
    void settle(work, (list) => {
      if (!list) {
        this.cards.open("进行中的热点", "—", "读取失败");
        this.cards.precision("预警准确率", "—", "读取失败");
        return;
      }
      const open = list.hotspots.filter((hotspot) => OPEN.includes(hotspot.status));
      const alarms = open.filter((hotspot) => hotspot.level === "alarm").length;
      const untaken = open.filter((hotspot) => hotspot.status === "new" || hotspot.status === "recurred").length;
      this.cards.open(
        "进行中的热点",
        [open.length, h("small", {}, "个")],
        `告警 ${alarms} 个 · 待认领 ${untaken} 个`,
        alarms ? "warm" : undefined,
      );
      const { confirmed, dismissed, share } = list.precision;
      this.cards.precision("预警准确率", percent(share), share === null ? "尚无人工判定" : `确认 ${confirmed} · 驳回 ${dismissed}`);
    });
  }

  private card(id: string): Card {
    const root = h("div", { class: "kpi", role: "listitem", "data-kpi": id });
    this.root.append(root);
    return (label, value, note, tone) => {
      root.dataset["tone"] = tone ?? "";
      fill(root, h("span", { class: "kpi-label" }, label), h("strong", {}, value), h("span", { class: "kpi-note" }, note));
    };
  }
}

/** ▲ ▼ in the colour that says worse or better. */
export function arrow(change: number): HTMLElement {
  const [shape, tone] = change > 0.005 ? ["▲", "worse"] : change < -0.005 ? ["▼", "better"] : ["■", "same"];
  return h("i", { class: `arrow ${tone}`, "aria-hidden": "true" }, shape);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function settle<T>(work: Promise<T>, show: (value: T | null) => void): Promise<void> {
  try {
    show(await work);
  } catch (error) {
    if (isAbort(error)) return;
    if (!(error instanceof Problem)) throw error;
    show(null);
  }
}
