const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const momentFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

const valid = (at: string | undefined): at is string => at !== undefined && !Number.isNaN(Date.parse(at));

/** 14:03:09, in local time. */
export function clock(at: string | undefined): string {
  return valid(at) ? clockFormat.format(new Date(at)) : "–";
}

/** 6 Apr 2026. */
export function day(at: string | undefined): string {
  return valid(at) ? dayFormat.format(new Date(at)) : "–";
}

/** Day and time, for titles. */
export function moment(at: string | undefined): string {
  return valid(at) ? momentFormat.format(new Date(at)) : "–";
}
