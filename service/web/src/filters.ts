/** The filters in the page's head. */

import { fill, h, keepFocus, option, segmented } from "./dom";
import { today } from "./format";
import type { Names } from "./names";
import { span, state, update, type Range } from "./state";

const RANGES: readonly { value: Range; name: string }[] = [
  { value: "7", name: "近7天" },
  { value: "30", name: "近30天" },
  { value: "90", name: "近90天" },
  { value: "custom", name: "自定义" },
];

/** Draw the filters as the URL has them. */
export function showFilters(host: HTMLElement, names: Names): void {
  const { range, category, channel } = state();
  const { from, to } = span();
  const channels = Object.values(names.taxonomy.channels);
  const controls = [
    segmented("时间范围", RANGES, range, (value) =>
      update(value === "custom" ? { range: value, from, to } : { range: value, from: "", to: "" }),
    ),
    range === "custom" && h("span", { class: "dates" }, day("from", "开始日期", from), "至", day("to", "结束日期", to)),
    h(
      "select",
      { name: "category", "aria-label": "类别", onchange: (event) => update({ category: (event.target as HTMLSelectElement).value }) },
      option("", "全部类别", category),
      categoryOptions(names, category, true),
    ),
    h(
      "select",
      { name: "channel", "aria-label": "渠道", onchange: (event) => update({ channel: (event.target as HTMLSelectElement).value }) },
      option("", "全部渠道", channel),
      channels.map(({ key, name }) => option(key, name, channel)),
    ),
    (category !== "" || channel !== "") &&
      h("button", { type: "button", class: "link", onclick: () => update({ category: "", channel: "" }) }, "清除筛选"),
  ];
  keepFocus(host, () => fill(host, controls));
}

function day(name: "from" | "to", label: string, value: string): HTMLElement {
  const change = (event: Event): void => {
    const chosen = (event.target as HTMLInputElement).value;
    if (chosen) update({ range: "custom", ...span(), [name]: chosen });
  };
  return h("input", { type: "date", name, "aria-label": label, value, max: today(), onchange: change });
}

/** All categories under their groups; with `groups` the groups themselves can be chosen too. */
export function categoryOptions(names: Names, chosen: string, groups: boolean): HTMLElement[] {
  return Object.values(names.taxonomy.groups).map((group) =>
    h(
      "optgroup",
      { label: group.name },
      groups && option(group.key, `${group.name}（全部）`, chosen),
      names.categoriesOf(group.key).map((category) => option(category.key, category.name, chosen)),
    ),
  );
}
