/** Names of keys and codes, read once from the taxonomy and the table of regions. */

import * as api from "./api";
import type { Category, HotspotLevel, HotspotStatus, Region, SentimentLabel, Taxonomy, Verdict } from "./types";

export const LEVELS: Record<HotspotLevel, string> = { notice: "关注", warning: "预警", alarm: "告警" };

export const STATUSES: Record<HotspotStatus, string> = {
  new: "新发现",
  acknowledged: "已认领",
  confirmed: "已确认",
  dismissed: "已驳回",
  resolved: "已解决",
  recurred: "再次出现",
};

export const VERDICTS: Record<Verdict, string> = { acknowledge: "认领", confirm: "确认", dismiss: "驳回", resolve: "解决" };

const EVENTS: Record<string, string> = { ...VERDICTS, found: "发现", seen: "持续", escalated: "升级", recurred: "再次出现" };

export const eventName = (action: string): string => EVENTS[action] ?? action;

export const OPEN: readonly HotspotStatus[] = ["new", "recurred", "acknowledged", "confirmed"];

const NATION = "100000";

export class Names {
  readonly provinces: readonly Region[];
  private readonly byCode: Map<string, Region>;

  constructor(
    readonly taxonomy: Taxonomy,
    regions: readonly Region[],
  ) {
    this.byCode = new Map(regions.map((region) => [region.adcode, region]));
    this.provinces = regions.filter((region) => region.level === "province");
  }

  /** Name of a category or group; the nameless key of a newer taxonomy stays readable as itself. */
  category(key: string): string {
    return this.taxonomy.categories[key]?.name ?? this.taxonomy.groups[key]?.name ?? key;
  }

  group(categoryKey: string): string {
    return this.taxonomy.categories[categoryKey]?.group ?? categoryKey;
  }

  categoriesOf(group: string): Category[] {
    return Object.values(this.taxonomy.categories).filter((category) => category.group === group);
  }

  channel(key: string): string {
    return this.taxonomy.channels[key]?.name ?? key;
  }

  sentiment(label: SentimentLabel): string {
    return this.taxonomy.sentiments[label];
  }

  severity(level: number): string {
    return this.taxonomy.severities[String(level)] ?? String(level);
  }

  region(adcode: string): Region | undefined {
    return this.byCode.get(adcode);
  }

  /** Short name of a place; a city with its province: 广东 深圳. */
  place(adcode: string | null): string {
    if (!adcode) return "地区未知";
    if (adcode === NATION) return "全国";
    const region = this.byCode.get(adcode);
    if (!region) return "地区未知";
    const parent = region.level === "city" ? this.byCode.get(region.parent) : undefined;
    return parent ? `${parent.short} ${region.short}` : region.short;
  }
}

export async function loadNames(): Promise<Names> {
  const [taxonomy, regions] = await Promise.all([api.taxonomy(), api.regions()]);
  return new Names(taxonomy, regions);
}
