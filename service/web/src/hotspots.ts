/** The list of hotspots. */

import { fill, h, keepFocus, segmented, type Child } from "./dom";
import { dayRange, decimal, integer, signedPercent } from "./format";
import { LEVELS, OPEN, STATUSES } from "./names";
import { empty, type Section } from "./section";
import { update } from "./state";
import type { Hotspot, HotspotLevel } from "./types";

type Shelf = "open" | "closed";

const FIRST = 6;
const TERMS = 4;
const SHAPES: Record<HotspotLevel, string> = { notice: "●", warning: "◆", alarm: "▲" };

export class HotspotList {
  private list: readonly Hotspot[] = [];
  private shelf: Shelf = "open";
  private whole = false;

  constructor(private readonly section: Section) {}

  show(list: readonly Hotspot[]): void {
    this.list = list;
    this.draw();
  }

  private draw(): void {
    keepFocus(this.section.root, () => this.redraw());
  }

  private redraw(): void {
    const open = this.list.filter((hotspot) => OPEN.includes(hotspot.status));
    const closed = this.list.filter((hotspot) => !OPEN.includes(hotspot.status));
    const choices = [
      { value: "open" as const, name: `进行中 ${open.length}` },
      { value: "closed" as const, name: `已关闭 ${closed.length}` },
    ];
    fill(
      this.section.tools,
      segmented("热点状态", choices, this.shelf, (shelf) => this.turn(shelf)),
    );
    const all = this.shelf === "open" ? open : closed;
    if (all.length === 0) {
      fill(this.section.body, empty(this.shelf === "open" ? "目前没有进行中的热点，各地各类投诉都在常态之内。" : "还没有关闭的热点。"));
      return;
    }
    const shown = this.whole ? all : all.slice(0, FIRST);
    const more = h(
      "button",
      { type: "button", class: "button quiet", onclick: () => this.toggle() },
      this.whole ? "收起" : `显示全部 ${all.length} 个`,
    );
    fill(this.section.body, hotspotItems(shown), all.length > FIRST && more);
  }

  private turn(shelf: Shelf): void {
    this.shelf = shelf;
    this.whole = false;
    this.draw();
  }

  private toggle(): void {
    this.whole = !this.whole;
    this.draw();
  }
}

export function hotspotItems(hotspots: readonly Hotspot[]): HTMLElement {
  return h(
    "ul",
    { class: "hotspots" },
    hotspots.map((hotspot) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: "hotspot",
            "data-hotspot": hotspot.id,
            "data-level": hotspot.level,
            onclick: () => update({ hotspot: hotspot.id, region: "" }),
          },
          h(
            "span",
            { class: "hotspot-head" },
            level(hotspot.level),
            h("span", { class: "status", "data-status": hotspot.status }, STATUSES[hotspot.status]),
            h("span", { class: "hotspot-window" }, dayRange(hotspot.window.from, hotspot.window.to)),
          ),
          h("span", { class: "hotspot-title" }, hotspot.title),
          hotspot.terms.length > 0 && h("span", { class: "hotspot-terms" }, hotspot.terms.slice(0, TERMS).join("　")),
          h("span", { class: "hotspot-foot" }, comparison(hotspot), figures(hotspot)),
        ),
      ),
    ),
  );
}

/** The level as word, shape and colour. */
export const level = (value: HotspotLevel): HTMLElement =>
  h("span", { class: "level", "data-level": value }, h("i", { "aria-hidden": "true" }, SHAPES[value]), LEVELS[value]);

/** How many times the expected count fill the bar. */
const FULL = 5;

/** A bar as long as the ratio of observed to expected, with a mark at one: bars compare from hotspot to hotspot. */
export function comparison({ ratio }: Hotspot): HTMLElement {
  const title = `竖线为预期；满格为预期的 ${FULL} 倍及以上`;
  return h(
    "span",
    { class: "comparison", title, "aria-hidden": "true", "--observed": Math.min(ratio / FULL, 1), "--expected": 1 / FULL },
    h("i"),
    h("b"),
  );
}

function figures(hotspot: Hotspot): Child {
  return h(
    "span",
    { class: "figures" },
    h("b", {}, integer(hotspot.observed)),
    ` 件 / 预期 ${decimal(hotspot.expected)}`,
    h("span", { class: "ratio" }, `${decimal(hotspot.ratio)} 倍`),
    hotspot.change !== null && h("span", { class: "muted" }, `环比 ${signedPercent(hotspot.change)}`),
  );
}
