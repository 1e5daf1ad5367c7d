/** One hotspot in the side panel: figures, terms, evidence, history, and the verdict of a person. */

import * as api from "./api";
import { Problem } from "./api";
import { complaintCard } from "./complaint";
import { ComplaintList } from "./complaints";
import { fill, h, type Child } from "./dom";
import { dateTime, dayRange, decimal, integer, signedPercent } from "./format";
import { comparison, level } from "./hotspots";
import { eventName, STATUSES, VERDICTS, type Names } from "./names";
import type { Hotspot, HotspotStatus, Verdict } from "./types";
import { failure, skeleton } from "./section";
import { askVerdict } from "./verdict";

/** What the service allows from each status. */
const ALLOWED: Record<HotspotStatus, readonly Verdict[]> = {
  new: ["acknowledge", "confirm", "dismiss", "resolve"],
  recurred: ["acknowledge", "confirm", "dismiss", "resolve"],
  acknowledged: ["confirm", "dismiss", "resolve"],
  confirmed: ["dismiss", "resolve"],
  dismissed: ["confirm"],
  resolved: [],
};

/** Of the evidence, which comes best first, so many are read one by one. */
const TYPICAL = 3;

export class HotspotDetail {
  readonly root = h("div", { class: "detail" });
  private readonly top = h("div", {});

  /** @param judged told when a person's verdict is in. */
  constructor(
    private readonly names: Names,
    private readonly judged: (hotspot: Hotspot) => void,
  ) {}

  show(hotspot: Hotspot): void {
    this.draw(hotspot);
    const all = new ComplaintList(this.names, { ...hotspot.window, hotspot: hotspot.id }, { limit: 10, choices: true });
    const evidence = h("div", { class: "items" }, skeleton());
    const typical = hotspot.evidence.slice(0, TYPICAL);
    fill(this.root, this.top, typical.length > 0 && [h("h3", {}, "典型投诉"), evidence], h("h3", {}, hotspot.kind === "theme" ? "该问题的全部投诉" : "窗口内的全部投诉"), all.root);
    if (typical.length > 0) void this.evidence(evidence, typical);
    void all.load();
  }

  private async evidence(host: HTMLElement, ids: readonly string[]): Promise<void> {
    try {
      const records = await Promise.all(ids.map((id) => api.complaint(id)));
      fill(
        host,
        records.map((record) => complaintCard(record, this.names, () => undefined)),
      );
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      fill(
        host,
        failure(error, () => void this.evidence(host, ids)),
      );
    }
  }

  private draw(hotspot: Hotspot): void {
    const { names } = this;
    const rows: [string, Child][] = [
      ["类别", names.category(hotspot.category)],
      ["地区", hotspot.regions.length ? hotspot.regions.map((code) => names.place(code)).join("、") : "全国"],
      ["渠道", hotspot.channels.length ? hotspot.channels.map((key) => names.channel(key)).join("、") : "全部渠道"],
      ["观察窗口", dayRange(hotspot.window.from, hotspot.window.to)],
      ["偶然出现", chance(hotspot)],
    ];
    fill(
      this.top,
      h(
        "p",
        { class: "detail-state" },
        level(hotspot.level),
        h("span", { class: "status", "data-status": hotspot.status }, STATUSES[hotspot.status]),
      ),
      h(
        "div",
        { class: "facts" },
        figure("实际", integer(hotspot.observed), "件"),
        figure("预期", decimal(hotspot.expected), "件"),
        figure("倍数", decimal(hotspot.ratio), "倍"),
        figure("环比", signedPercent(hotspot.change), ""),
      ),
      comparison(hotspot),
      this.actions(hotspot),
      h(
        "dl",
        { class: "pairs" },
        rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
      ),
      hotspot.terms.length > 0 && [
        h("h3", {}, "突出用词"),
        h(
          "p",
          { class: "terms" },
          hotspot.terms.map((term) => h("span", { class: "term" }, term)),
        ),
      ],
      h("h3", {}, "经过"),
      h(
        "ol",
        { class: "history" },
        [...hotspot.history]
          .reverse()
          .map((event) =>
            h(
              "li",
              {},
              h("time", { datetime: event.time }, dateTime(event.time)),
              h(
                "div",
                {},
                h("b", {}, eventName(event.action)),
                event.person && ` · ${event.person}`,
                event.observed !== null && h("span", { class: "muted" }, ` · 当时 ${integer(event.observed)} 件`),
                event.reason && h("p", {}, event.reason),
              ),
            ),
          ),
      ),
    );
  }

  private actions(hotspot: Hotspot): Child {
    const allowed = ALLOWED[hotspot.status];
    if (allowed.length === 0) return h("p", { class: "hint" }, "此热点已解决；如再次出现，会重新打开。");
    return h(
      "div",
      { class: "actions" },
      allowed.map((verdict, i) =>
        h(
          "button",
          {
            type: "button",
            class: i === 0 ? "button primary" : "button",
            "data-verdict": verdict,
            onclick: () => void this.judge(hotspot, verdict),
          },
          VERDICTS[verdict],
        ),
      ),
    );
  }

  private async judge(hotspot: Hotspot, verdict: Verdict): Promise<void> {
    const after = await askVerdict(hotspot, verdict, (person, reason) => api.judge(hotspot.id, verdict, person, reason));
    if (!after) return;
    this.draw(after);
    const status = this.top.querySelector<HTMLElement>(".actions button") ?? this.top;
    status.focus();
    this.judged(after);
  }
}

export const figure = (name: string, value: string, unit: string): HTMLElement =>
  h("div", { class: "figure" }, h("span", {}, name), h("strong", {}, value, unit && h("small", {}, unit)));

/** How rarely chance alone would bring this about. */
function chance({ recurrence_interval_days: days }: Hotspot): string {
  if (days >= 3650) return `平均 ${integer(days / 365)} 年以上一次`;
  if (days >= 730) return `平均约 ${decimal(days / 365)} 年一次`;
  return `平均约 ${integer(Math.max(days, 1))} 天一次`;
}
