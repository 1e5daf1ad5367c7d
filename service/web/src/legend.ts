/** The key to the colours. */

import { h } from "./dom";
import { METRICS, type Scale } from "./scale";
import type { Metric } from "./state";

export function legend(scale: Scale, metric: Metric): HTMLElement {
  const { name, unit } = METRICS[metric];
  return h(
    "div",
    { class: "legend", role: "img", "aria-label": `图例：${name}，${unit}，由低到高 ${scale.labels.join("，")}` },
    h("span", { class: "legend-unit" }, unit),
    scale.labels.map((label, i) => h("span", { class: "legend-class" }, h("i", { "--color": scale.colors[i] }), label)),
  );
}
