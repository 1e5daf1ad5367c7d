/** Regional risk index with the parts that make it up. */

import { fill, h } from "./dom";
import { decimal, integer } from "./format";
import { empty } from "./section";
import { update } from "./state";
import type { RegionRisk } from "./types";

const FIRST = 12;

/** Parts and their weights in the index, as `triage.heatmap.risk_index` has them. */
const PARTS: readonly { name: string; weight: number; of: (risk: RegionRisk) => number }[] = [
  { name: "发生率", weight: 0.3, of: (risk) => risk.rate_part },
  { name: "严重度", weight: 0.25, of: (risk) => risk.severity_part },
  { name: "超出常态", weight: 0.25, of: (risk) => risk.exceedance_part },
  { name: "热点", weight: 0.2, of: (risk) => 100 * (1 - 0.5 ** risk.hotspots) },
];

export function showRisk(body: HTMLElement, regions: readonly RegionRisk[], whole = false): void {
  if (regions.every((risk) => risk.count === 0)) {
    fill(body, empty("所选时段没有投诉，无法比较各地风险。"));
    return;
  }
  const shown = whole ? regions : regions.slice(0, FIRST);
  fill(
    body,
    h(
      "div",
      { class: "legend" },
      PARTS.map((part, i) =>
        h("span", { class: "legend-class" }, h("i", { class: `part-${i}` }), `${part.name} ${integer(part.weight * 100)}%`),
      ),
    ),
    h(
      "ol",
      { class: "risk" },
      shown.map((risk, i) => {
        const parts = PARTS.map((part) => `${part.name} ${decimal(part.of(risk))}`).join("，");
        return h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: "risk-row",
              "aria-label": `第 ${i + 1} 名 ${risk.name}，风险指数 ${decimal(risk.index)}；${parts}`,
              title: parts,
              onclick: () => update({ region: risk.region, hotspot: "" }),
            },
            h("span", { class: "rank" }, i + 1),
            h("span", { class: "risk-name" }, risk.name),
            h(
              "span",
              { class: "stack", "aria-hidden": "true" },
              PARTS.map((part, k) => h("i", { class: `part-${k}`, "--share": (part.weight * part.of(risk)) / 100 })),
            ),
            h("b", {}, decimal(risk.index)),
            h("span", { class: "risk-count" }, `${integer(risk.count)} 件`),
          ),
        );
      }),
    ),
    regions.length > FIRST &&
      h(
        "button",
        { type: "button", class: "button quiet", onclick: () => showRisk(body, regions, !whole) },
        whole ? "收起" : `显示全部 ${regions.length} 个地区`,
      ),
  );
}
