import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { open, send, snapshot } from "@/testing/experiment-page";
import { loggedIn } from "@/testing/render-app";
import { event, run } from "@/testing/samples";
import { fakeSockets } from "@/testing/socket";

// There is no canvas here.
vi.mock("./best-chart", () => ({ default: () => null }));

beforeEach(() => {
  loggedIn();
  fakeSockets();
});

test("of a rescoring the timeline shows the latest progress and the end of each", async () => {
  await open();
  const rescored = (seq: number, done: number, finished = false) =>
    event(seq, "experiment.rescored", { runs: 40, done, finished });
  send(snapshot({}), rescored(6, 40, true), rescored(7, 8), rescored(8, 16));
  const events = await screen.findByRole("list", { name: "Events" });
  await within(events).findByText("scored 16 of 40 runs again");
  expect(within(events).queryByText("scored 8 of 40 runs again")).toBeNull();
  expect(within(events).getByText("scored 40 runs again")).toBeVisible();
  send(rescored(9, 40, true));
  await waitFor(() => expect(within(events).queryByText("scored 16 of 40 runs again")).toBeNull());
  expect(within(events).getAllByText("scored 40 runs again")).toHaveLength(2);
});

test.each([
  ["experiment.rescored", { runs: 1, done: 1, finished: true }],
  ["score.added", { run_id: "r1", scorer_name: "human_rating", value: 1 }],
])("%s brings the new scores of runs", async (type, data) => {
  const scores = [0.25, 0.75];
  const runs = () => ({ body: { items: [{ ...run({ score: scores.shift() ?? 0.75 }), values: {} }] } });
  await open(
    { "GET /experiments/e1/runs": runs, "GET /experiments/e1/sweeps": { body: { items: [] } } },
    "/experiments/e1?tab=runs",
  );
  expect(await screen.findByText("0.250")).toBeVisible();
  send(event(6, type, data));
  expect(await screen.findByText("0.750", {}, { timeout: 3000 })).toBeVisible();
});
