import type { Connection } from "@/api/live/reduce";
import { cx } from "@/lib/cx";
import { type Tone, toneText } from "./status";

const notes: Record<Connection, { label: string; tone: Tone }> = {
  connecting: { label: "Connecting…", tone: "quiet" },
  open: { label: "Live", tone: "good" },
  lost: { label: "Connection lost, trying again…", tone: "warn" },
  refused: { label: "Logged out", tone: "bad" },
};

/** Whether what is shown is up to date. */
export function ConnectionNote({ connection }: { connection: Connection }) {
  const { label, tone } = notes[connection];
  return (
    <span role="status" className={cx("font-medium text-xs", toneText[tone])}>
      {label}
    </span>
  );
}
