import type { Event, LeaderboardRow, Run, Sweep } from "../types";

/** `[at, score]`: when the best score rose, and to what. */
export type BestPoint = [at: string, score: number];

export type RunningRun = { run_id: string; samples: Run["samples"] };

export type EndpointLoad = {
  label: string;
  /** Calls in flight. */
  in_use: number;
  concurrency: number;
  /** The end of the pause that the endpoint asked for. */
  backing_off_until?: string;
  /** Why nothing is sent to it. */
  breaker?: string;
  /** When it is called again by itself. */
  breaker_until?: string;
};

export type Snapshot = {
  sweep?: Sweep;
  leaderboard?: LeaderboardRow[];
  best_series?: BestPoint[];
  endpoints?: EndpointLoad[];
  running?: RunningRun[];
  events?: Event[];
};

export type Progress = { sweep?: Sweep; running?: RunningRun[]; endpoints?: EndpointLoad[] };

/** What the socket carries: events as stored, and two kinds of message that only live here. */
export type LiveMessage = Event;

/** The messages of one frame; what is not a list of messages is no frame of ours. */
export function readFrame(text: string): LiveMessage[] {
  const frame: unknown = JSON.parse(text);
  if (!Array.isArray(frame)) throw new SyntaxError("a frame must be a list of messages");
  return frame as LiveMessage[];
}
