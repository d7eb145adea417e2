type Maybe = number | null | undefined;

const none = "–";
const grouped = new Intl.NumberFormat("en-US");
const known = (value: Maybe): value is number => typeof value === "number" && Number.isFinite(value);

/** 1234567 → "1,234,567". */
export function count(value: Maybe): string {
  return known(value) ? grouped.format(Math.round(value)) : none;
}

/** 1, "run" → "1 run"; 1200, "run" → "1,200 runs". */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** 1234567 → "1.23M"; for places where the exact figure does not fit. */
export function compact(value: Maybe): string {
  if (!known(value)) return none;
  if (Math.abs(value) < 10_000) return count(value);
  return new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

/** A score in 0..1 with three decimals. */
export function score(value: Maybe): string {
  return known(value) ? value.toFixed(3) : none;
}

/** 0.256 → "25.6 %". */
export function percent(value: Maybe): string {
  return known(value) ? `${(value * 100).toFixed(1)} %` : none;
}

/** US dollars: cents for large sums, four significant digits for the fractions of a cent that a call costs. */
export function cost(value: Maybe): string {
  if (!known(value)) return none;
  if (value === 0) return "$0";
  if (value >= 1) return `$${value.toFixed(2)}`;
  if (value < 0.000001) return "< $0.000001";
  const decimals = Math.min(8, Math.max(2, 2 - Math.floor(Math.log10(value))));
  return `$${value.toFixed(decimals)}`;
}

/** A duration in milliseconds, as short as it stays clear. */
export function milliseconds(value: Maybe): string {
  if (!known(value)) return none;
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(1)} s`;
  return seconds(value / 1000);
}

/** 3725 → "1 h 2 min". */
export function seconds(value: Maybe): string {
  if (!known(value)) return none;
  const whole = Math.max(0, Math.round(value));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** Hits among all answers, paid and cached. */
export function hitRate(hits: number, paid: number): string {
  return hits + paid > 0 ? percent(hits / (hits + paid)) : none;
}

/** Any JSON value on one line; texts without their quotes. */
export function inline(value: unknown): string {
  if (value === undefined) return none;
  return typeof value === "string" ? value : JSON.stringify(value);
}

const maxLength = 40;

/** A configuration's values in one line: long texts are cut, so that each value has its place. */
export function valuesLine(values: Record<string, unknown>): string {
  const cut = (text: string) =>
    text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).trimEnd()}…`;
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${cut(inline(value))}`)
    .join(" · ");
}

/** Any JSON value as text for reading; texts as they are. */
export function block(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
