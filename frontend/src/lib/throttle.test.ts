import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { throttle } from "./throttle";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("calls at once, and what comes meanwhile makes one late call", async () => {
  const call = vi.fn(() => Promise.resolve());
  const throttled = throttle(700, call);
  throttled();
  throttled();
  throttled();
  expect(call).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(699);
  expect(call).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(call).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(5000);
  expect(call).toHaveBeenCalledTimes(2);
});

test("waits for a call that takes longer than that", async () => {
  const call = vi.fn(() => new Promise((resolve) => setTimeout(resolve, 2000)));
  const throttled = throttle(700, call);
  throttled();
  throttled();
  await vi.advanceTimersByTimeAsync(1900);
  expect(call).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(call).toHaveBeenCalledTimes(2);
});
