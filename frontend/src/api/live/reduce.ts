import type { Event, Sweep } from "../types";
import type { BestPoint, EndpointLoad, LiveMessage, Progress, RunningRun, Snapshot } from "./messages";

export type Connection = "connecting" | "open" | "lost" | "refused";

export type LiveState = {
  connection: Connection;
  /** The last event seen; a reconnect asks for what came after it. */
  seq: number;
  /** The last event that the snapshot covers: events up to here only belong into the timeline. */
  snapshotSeq: number;
  /** When the last message was sent, by the server's clock. */
  at: string | undefined;
  bestSeries: BestPoint[];
  endpoints: EndpointLoad[];
  running: RunningRun[];
  /** The newest first, each sequence number once. */
  events: Event[];
};

export const initialState: LiveState = {
  connection: "connecting",
  seq: 0,
  snapshotSeq: 0,
  at: undefined,
  bestSeries: [],
  endpoints: [],
  running: [],
  events: [],
};

const maxEvents = 500;

/** The state after a batch of messages; the same object where nothing changed. */
export function reduce(state: LiveState, messages: LiveMessage[]): LiveState {
  let next = state;
  const fresh: Event[] = [];
  for (const message of messages) {
    if (message.type === "snapshot") {
      next = applySnapshot(next, message);
      fresh.length = 0;
    } else if (message.type === "progress") {
      next = applyProgress(next, message);
    } else if (message.seq > next.seq) {
      next = applyEvent(next, message);
      fresh.push(message);
    }
  }
  return fresh.length === 0 ? next : { ...next, events: newestFirst([...fresh, ...next.events]) };
}

function applySnapshot(state: LiveState, message: LiveMessage): LiveState {
  const data = message.data as Snapshot;
  const events = newestFirst(data.events ?? []);
  return {
    connection: state.connection,
    seq: message.seq,
    snapshotSeq: Math.max(message.seq, events[0]?.seq ?? 0),
    at: message.at,
    bestSeries: data.best_series ?? [],
    endpoints: data.endpoints ?? [],
    running: data.running ?? [],
    events,
  };
}

function newestFirst(events: Event[]): Event[] {
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, maxEvents);
}

function applyProgress(state: LiveState, message: LiveMessage): LiveState {
  const { running = [], endpoints = [] } = message.data as Progress;
  return { ...state, at: message.at, running, endpoints };
}

function applyEvent(state: LiveState, event: Event): LiveState {
  const running = stillRunning(state.running, event);
  const endpoints = sweepEnds.has(event.type) ? [] : state.endpoints;
  const next = { ...state, seq: event.seq, at: event.at, running, endpoints };
  const { score } = event.data;
  const rises = event.type === "new_best_found" && event.seq > state.snapshotSeq && typeof score === "number";
  return rises ? { ...next, bestSeries: [...state.bestSeries, [event.at, score]] } : next;
}

/** Progress is told only while a sweep runs, so its end has to be read from events. */
function stillRunning(running: RunningRun[], { type, data }: Event): RunningRun[] {
  if (sweepEnds.has(type)) return [];
  if (!runEnds.has(type)) return running;
  return running.filter((run) => run.run_id !== data.run_id);
}

const sweepEnds = new Set(["experiment.completed", "experiment.stopped"]);
const runEnds = new Set(["run.completed", "run.failed", "run.pruned"]);

/** The newest sweep that a batch tells of. */
export function sweepIn(messages: LiveMessage[]): Sweep | undefined {
  const message = messages.findLast(({ type }) => type === "snapshot" || type === "progress");
  return (message?.data as Progress | undefined)?.sweep;
}

/** Whether the leaderboard may look different after this message. */
export function movesLeaderboard({ type }: LiveMessage): boolean {
  return leaderboardTypes.has(type) || type.startsWith("experiment.");
}

/** Whether runs that have ended may have other scores after this message. */
export function changesScores({ type }: LiveMessage): boolean {
  return type === "score.added" || type === "experiment.rescored";
}

const leaderboardTypes = new Set([
  "run.completed",
  "run.failed",
  "run.pruned",
  "run.rejected",
  "run.restored",
  "run.approved",
  "score.added",
  "new_best_found",
]);
