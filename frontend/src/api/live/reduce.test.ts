import { describe, expect, test } from "vitest";
import { at, event, row, sweep } from "@/testing/samples";
import { initialState, movesLeaderboard, reduce, sweepIn } from "./reduce";

const snapshot = (seq: number, data = {}) => ({ seq, type: "snapshot", at, data });
const progress = (data: object) => ({ seq: 0, type: "progress", at, data: { ...data } });

const started = reduce(initialState, [
  snapshot(10, {
    sweep: sweep(),
    leaderboard: [row(1)],
    best_series: [[at, 0.5]],
    events: [event(9, "run.started"), event(10, "run.completed")],
  }),
]);

const seqs = (state: typeof initialState) => state.events.map(({ seq }) => seq);

describe("a snapshot", () => {
  test("fills the state, newest event first", () => {
    expect(started.bestSeries).toEqual([[at, 0.5]]);
    expect(seqs(started)).toEqual([10, 9]);
    expect(started.seq).toBe(10);
  });

  test("replaces everything at any time, even with an older sequence", () => {
    const later = reduce(started, [event(11, "new_best_found", { score: 0.9 }), snapshot(4, {})]);
    expect(later).toMatchObject({ seq: 4, bestSeries: [], running: [], events: [] });
  });

  test("keeps what the socket says of itself", () => {
    expect(reduce({ ...started, connection: "open" }, [snapshot(20)]).connection).toBe("open");
  });
});

describe("events", () => {
  test("are added in front and move the sequence on", () => {
    const next = reduce(started, [event(11, "run.started"), event(12, "run.completed")]);
    expect(seqs(next)).toEqual([12, 11, 10, 9]);
    expect(next.seq).toBe(12);
  });

  test("that were seen before are ignored", () => {
    const again = [event(10, "run.completed"), event(11, "new_best_found", { score: 0.9 })];
    const next = reduce(reduce(started, again), again);
    expect(seqs(next)).toEqual([11, 10, 9]);
    expect(next.bestSeries).toHaveLength(2);
  });

  test("may leave gaps, where other experiments' events lie", () => {
    const next = reduce(started, [event(15, "run.started"), event(40, "run.completed")]);
    expect(seqs(next).slice(0, 2)).toEqual([40, 15]);
    expect(next.seq).toBe(40);
  });

  test("of a new best raise the line", () => {
    const next = reduce(started, [event(11, "new_best_found", { score: 0.75 })]);
    expect(next.bestSeries.at(-1)?.[1]).toBe(0.75);
  });

  test("are forgotten beyond five hundred", () => {
    const many = Array.from({ length: 700 }, (_, index) => event(11 + index, "run.started"));
    const next = reduce(started, many);
    expect(next.events).toHaveLength(500);
    expect(next.events[0]?.seq).toBe(710);
  });
});

test("what a snapshot already told is told again after it, and then only fills gaps in the timeline", () => {
  const place = snapshot(3, {
    best_series: [[at, 0.5]],
    events: [event(8, "new_best_found", { score: 0.5 })],
  });
  const replay = [
    event(5, "run.started"),
    event(8, "new_best_found", { score: 0.5 }),
    event(9, "run.started"),
  ];
  const next = reduce(initialState, [place, ...replay]);
  expect(seqs(next)).toEqual([9, 8, 5]);
  expect(next.bestSeries).toEqual([[at, 0.5]]);
  expect(next.seq).toBe(9);
});

test("what ended runs and uses calls no more, even when no progress follows", () => {
  const samples = { total: 4, done: 1, failed: 0 };
  const running = [
    { run_id: "r1", samples },
    { run_id: "r2", samples },
    { run_id: "r3", samples },
  ];
  const endpoints = [{ label: "local", in_use: 3, concurrency: 8 }];
  const busy = reduce(started, [progress({ running, endpoints })]);
  const fewer = reduce(busy, [event(11, "run.completed", { run_id: "r1" })]);
  expect(fewer.running.map((run) => run.run_id)).toEqual(["r2", "r3"]);
  expect(fewer.endpoints).toEqual(endpoints);
  expect(reduce(fewer, [event(12, "experiment.completed")])).toMatchObject({ running: [], endpoints: [] });
});

test("the newest sweep of a batch is found", () => {
  const batch = [
    snapshot(1, { sweep: sweep() }),
    event(2, "run.started"),
    progress({ sweep: sweep({ status: "paused" }) }),
  ];
  expect(sweepIn(batch)?.status).toBe("paused");
  expect(sweepIn([event(2, "run.started")])).toBeUndefined();
});

test("progress replaces the running runs, and is no event", () => {
  const running = [{ run_id: "r9", samples: { total: 4, done: 1, failed: 0 } }];
  const next = reduce(started, [progress({ running })]);
  expect(next.running).toEqual(running);
  expect(next.seq).toBe(10);
  expect(next.events).toBe(started.events);
});

test("a batch that says nothing new changes nothing", () => {
  expect(reduce(started, [event(3, "run.started")])).toBe(started);
});

test.each([
  ["run.completed", true],
  ["run.failed", true],
  ["new_best_found", true],
  ["experiment.rescored", true],
  ["run.started", false],
  ["stage.completed", false],
  ["progress", false],
])("%s moves the leaderboard: %s", (type, moves) => {
  expect(movesLeaderboard(event(1, type))).toBe(moves);
});
