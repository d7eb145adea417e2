import type { Connection } from "@/api/live/reduce";

const pollInterval = 5000;

/** How often to ask by HTTP: only while the stream is lost. */
export function pollWhile(connection: Connection): number | false {
  return connection === "lost" ? pollInterval : false;
}
