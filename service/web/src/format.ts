/** Numbers, days and times as people here read them; the product lives on Beijing time. */

const ZONE = "Asia/Shanghai";
const whole = new Intl.NumberFormat("zh-CN", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const significant = new Intl.NumberFormat("zh-CN", { maximumSignificantDigits: 2 });
const isoDay = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE });
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });
const moment = new Intl.DateTimeFormat("zh-CN", {
  timeZone: ZONE,
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});

export const NONE = "—";

export const integer = (value: number): string => whole.format(value);
export const decimal = (value: number): string => (Math.abs(value) >= 100 ? whole : one).format(value);

/** Rates span orders of magnitude: two significant digits below ten. */
export const rate = (value: number | null): string => (value === null ? NONE : value < 10 ? significant.format(value) : one.format(value));

export const percent = (share: number | null): string => (share === null ? NONE : `${one.format(share * 100)}%`);

/** A relative change with its sign: .35 -> +35%. */
export function signedPercent(change: number | null): string {
  if (change === null) return NONE;
  const value = Math.round(change * 100);
  return `${value > 0 ? "+" : value < 0 ? "−" : "±"}${whole.format(Math.abs(value))}%`;
}

export function signed(value: number | null): string {
  if (value === null) return NONE;
  return `${value >= 0.05 ? "+" : value <= -0.05 ? "−" : ""}${decimal(Math.abs(value))}`;
}

export const today = (): string => isoDay.format(new Date());
export const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

export function addDays(day: string, amount: number): string {
  return new Date(Date.parse(day) + amount * 86_400_000).toISOString().slice(0, 10);
}

/** 2026-03-07 -> 3月7日. */
export function dayName(day: string): string {
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日`;
}

export const dayRange = (from: string, to: string): string => (from === to ? dayName(from) : `${dayName(from)}至${dayName(to)}`);
export const timeOfDay = (time: Date): string => clock.format(time);
export const dateTime = (iso: string): string => moment.format(new Date(iso));
