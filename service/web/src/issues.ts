/** Frequent issues beside the period before. */

import { fill, h } from "./dom";
import { integer, percent, signedPercent } from "./format";
import { arrow } from "./kpi";
import type { Names } from "./names";
import { empty } from "./section";
import { state, update } from "./state";
import type { Issue } from "./types";

export function showIssues(body: HTMLElement, issues: readonly Issue[], names: Names): void {
  if (issues.length === 0) {
    fill(body, empty("所选时段没有投诉。"));
    return;
  }
  const most = Math.max(...issues.map((issue) => issue.count));
  const heads = [
    ["类别", ""],
    ["件数", "num"],
    ["占比", "num"],
    ["较前期", "num"],
    ["严重", "num"],
    ["集中地区", "wide"],
  ] as const;
  fill(
    body,
    h(
      "table",
      { class: "table issues" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)),
        ),
      ),
      h(
        "tbody",
        {},
        issues.map((issue) => line(issue, most, names)),
      ),
    ),
  );
}

function line(issue: Issue, most: number, names: Names): HTMLElement {
  const chosen = state().category === issue.category;
  return h(
    "tr",
    { class: chosen ? "chosen" : "" },
    h(
      "th",
      { scope: "row", "--share": issue.count / most },
      h(
        "button",
        {
          type: "button",
          class: "link",
          "aria-pressed": String(chosen),
          title: chosen ? "取消筛选" : "按此类别筛选全页",
          onclick: () => update({ category: chosen ? "" : issue.category }),
        },
        issue.name,
      ),
      h("span", { class: "bar", "aria-hidden": "true" }),
    ),
    h("td", { class: "num" }, integer(issue.count)),
    h("td", { class: "num" }, percent(issue.share)),
    h(
      "td",
      { class: "num change", title: `前一时段 ${integer(issue.previous)} 件` },
      issue.change === null ? "新" : [arrow(issue.change), signedPercent(issue.change)],
    ),
    h("td", { class: "num" }, integer(issue.severe)),
    h("td", { class: "wide" }, issue.top_regions.map((code) => names.place(code)).join("、")),
  );
}
