import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { at, event, sweep } from "@/testing/samples";
import { fakeSockets } from "@/testing/socket";
import { LiveConnection } from "./connection";

let sockets: ReturnType<typeof fakeSockets>;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = fakeSockets();
});

afterEach(() => {
  vi.useRealTimers();
});

const frame = () => vi.advanceTimersByTime(20);
const snapshot = { seq: 5, type: "snapshot", at, data: { sweep: sweep() } };

test("speaks the protocol and carries the token beside it", () => {
  localStorage.setItem("promptlooper.token", "abc");
  new LiveConnection("/ws/experiments/e1").subscribe(() => {});
  expect(sockets.last.url.protocol).toBe("ws:");
  expect(sockets.last.url.pathname).toBe("/ws/experiments/e1");
  expect(sockets.last.url.search).toBe("");
  expect(sockets.last.protocols).toEqual(["promptlooper.v1", "bearer.abc"]);
});

test("tells its listeners once a frame, however much arrives", () => {
  const connection = new LiveConnection("/ws/experiments/e1");
  const batches: number[] = [];
  const heard = new LiveConnection("/ws/experiments/e1", {
    onMessages: (messages) => batches.push(messages.length),
  });
  heard.subscribe(() => {});
  sockets.last.send(snapshot);
  sockets.last.send(event(6, "run.started"), event(7, "run.completed"));
  expect(batches).toEqual([]);
  frame();
  expect(batches).toEqual([3]);
  expect(heard.state().seq).toBe(7);
  expect(connection.state().seq).toBe(0);
});

test("comes back after a cut and asks for what it missed", () => {
  const connection = new LiveConnection("/ws/experiments/e1");
  connection.subscribe(() => {});
  sockets.last.onopen?.();
  sockets.last.send(snapshot, event(9, "run.started"));
  frame();
  sockets.last.drop();
  expect(connection.state().connection).toBe("lost");
  vi.advanceTimersByTime(1000);
  expect(sockets.all).toHaveLength(2);
  expect(sockets.last.url.searchParams.get("since")).toBe("9");
  sockets.last.onopen?.();
  expect(connection.state().connection).toBe("open");
});

test("waits longer each time nobody answers", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  new LiveConnection("/ws/dashboard").subscribe(() => {});
  sockets.last.drop();
  vi.advanceTimersByTime(500);
  sockets.last.drop();
  vi.advanceTimersByTime(900);
  expect(sockets.all).toHaveLength(2);
  vi.advanceTimersByTime(100);
  expect(sockets.all).toHaveLength(3);
});

test("asks for a new login when the server says so", () => {
  localStorage.setItem("promptlooper.token", "old");
  const connection = new LiveConnection("/ws/dashboard");
  connection.subscribe(() => {});
  sockets.last.drop(4401);
  vi.advanceTimersByTime(60_000);
  expect(sockets.all).toHaveLength(1);
  expect(connection.state().connection).toBe("refused");
  expect(localStorage.getItem("promptlooper.token")).toBeNull();
});

test("closes when nobody listens any more", () => {
  const stop = new LiveConnection("/ws/dashboard").subscribe(() => {});
  stop();
  expect(sockets.last.closed).toBe(true);
  sockets.last.drop();
  vi.advanceTimersByTime(60_000);
  expect(sockets.all).toHaveLength(1);
});
