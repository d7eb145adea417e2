import type { Connection } from "@/api/live/reduce";
import { cx } from "@/lib/cx";
import { type Tone, toneText } from "./status";

const looks: Record<Connection, { label: string; tone: Tone }> = {
  connecting: { label: "Connecting…", tone: "quiet" },
  open: { label: "Connected", tone: "good" },
  lost: { label: "Connection lost, reconnecting…", tone: "warn" },
  refused: { label: "Logged out", tone: "bad" },
};

/** Whether what is shown is up to date. */
export function ConnectionNote({ connection }: { connection: Connection }) {
  const { label, tone } = looks[connection];
  return (
    <span role="status" className={cx("font-medium text-xs", toneText[tone])}>
      {label}
    </span>
  );
}
