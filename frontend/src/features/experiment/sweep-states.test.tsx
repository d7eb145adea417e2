import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { RunError, Sweep } from "@/api/types";
import { button, open, send, snapshot, tile } from "@/testing/experiment-page";
import { loggedIn } from "@/testing/render-app";
import { event, experiment, run, sweep } from "@/testing/samples";
import { problem, type Routes } from "@/testing/server";
import { fakeSockets } from "@/testing/socket";

// There is no canvas here.
vi.mock("./best-chart", () => ({ default: ({ empty }: { empty: string }) => empty }));

beforeEach(() => {
  loggedIn();
  fakeSockets();
});

const badge = (text: string) => screen.findByText(text, { selector: "h1 ~ *" });

const failedSweep = sweep({
  status: "completed",
  finish_reason: "all_failed",
  allowed: [],
  progress: { total: 12, completed: 0, failed: 12, cached: 0, pruned: 0, cancelled: 0, running: 0 },
});
const stage = { name: "classify", kind: "llm" as const, endpoint: "local" };
const refused: RunError = { kind: "endpoint", message: "connection refused", stage: "classify" };
const timeout: RunError = { kind: "timeout", message: "no answer in 30 s" };

function failedRuns(...errors: RunError[]): Routes {
  const { config: _, ...base } = run({ status: "failed" });
  const items = errors.map((error, index) => ({ ...base, id: `r${index}`, values: {}, error }));
  return {
    "GET /experiments/e1": {
      body: experiment({ status: "completed", sweep: failedSweep, pipeline_stages: [stage] }),
    },
    "GET /experiments/e1/sweeps": { body: { items: [failedSweep] } },
    "GET /experiments/e1/runs": { body: { items } },
  };
}

test("a sweep in which every run failed is failed, and says why and where to look", async () => {
  const { server } = await open(failedRuns(timeout, refused, refused));
  expect(await badge("Failed")).toBeVisible();
  const notice = screen.getByRole("alert");
  expect(notice).toHaveTextContent("All 12 runs failed");
  await waitFor(() =>
    expect(notice).toHaveTextContent(
      "Most frequent cause, 2 of 3 runs: endpoint in stage classify, endpoint local: connection refused",
    ),
  );
  const asked = server.requests.find(({ url }) => url.includes("/runs?"));
  expect(asked?.url).toMatch(/sweep_id=s1&status=failed/);
  expect(within(notice).getByRole("link", { name: "Check endpoints" })).toHaveAttribute("href", "/endpoints");
  await userEvent.click(within(notice).getByRole("link", { name: "Show failed runs" }));
  expect(screen.getByLabelText("Show runs with status")).toHaveValue("failed");
});

test("a failed sweep is failed in the table of sweeps and in the timeline", async () => {
  await open(failedRuns(refused), "/experiments/e1?tab=runs");
  const sweeps = await screen.findByRole("table", { name: "Sweeps" });
  expect(within(sweeps).getByText("Failed")).toBeVisible();
  await userEvent.click(screen.getByRole("link", { name: "Live" }));
  send(snapshot({}), event(6, "experiment.completed", { summary: { runs: 12, failed: 12 } }));
  expect(await screen.findByText("Sweep failed")).toBeVisible();
  expect(screen.getByRole("list", { name: "Events" })).not.toHaveTextContent("Sweep completed");
});

test("a failed sweep does not invite to start one", async () => {
  await open(failedRuns(refused));
  expect(await screen.findByText("No results: all runs failed")).toBeVisible();
  expect(screen.getByText("No score: all runs failed")).toBeVisible();
  expect(screen.queryByText(/Start a sweep/)).toBeNull();
});

const outOfBudget = (part: Partial<Sweep> = {}) =>
  sweep({
    status: "paused",
    pause_reason: "budget",
    allowed: ["resume", "stop"],
    limits: { max_tokens: 250 },
    tokens_in: 120,
    tokens_out: 18,
    ...part,
  });

const paused = (part?: Partial<Sweep>): Routes => ({
  "GET /experiments/e1": { body: experiment({ status: "paused", sweep: outOfBudget(part) }) },
});

test("a sweep out of budget says what is spent and resumes with twice the limit", async () => {
  const resumed = sweep({ limits: { max_tokens: 500 } });
  const { server } = await open({ ...paused(), "POST /experiments/e1/resume": { body: resumed } });
  expect(await badge("Paused: budget used up")).toBeVisible();
  expect(screen.getByRole("alert")).toHaveTextContent("138 of 250 tokens spent");
  expect(tile("Tokens")).toHaveTextContent("138 of 250");
  expect(screen.queryByRole("button", { name: "Resume" })).toBeNull();
  await userEvent.click(button("Raise budget…"));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByLabelText("Token budget")).toHaveValue("500");
  await userEvent.click(dialog.getByRole("button", { name: "Raise and resume" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await server.bodies("POST /experiments/e1/resume")).toEqual([{ max_tokens: 500 }]);
  expect(await badge("Running")).toBeVisible();
});

test("a budget that is not raised cannot be sent, and what the server refuses is shown", async () => {
  const detail = "138 of max_tokens 260 are spent; resume with a higher limit";
  const refusal = { status: 409, body: problem({ status: 409, code: "budget_exhausted", detail }) };
  await open({ ...paused(), "POST /experiments/e1/resume": refusal });
  await userEvent.click(await screen.findByRole("button", { name: "Raise budget…" }));
  const dialog = within(await screen.findByRole("dialog"));
  const field = dialog.getByLabelText("Token budget");
  const raise = () => dialog.getByRole("button", { name: "Raise and resume" });
  await userEvent.clear(field);
  expect(field).toHaveAccessibleDescription("Enter a whole number above zero.");
  await userEvent.type(field, "250");
  expect(raise()).toHaveAccessibleDescription("Enter a higher limit.");
  await userEvent.clear(field);
  await userEvent.type(field, "260");
  await userEvent.click(raise());
  expect(await dialog.findByRole("alert")).toHaveTextContent(detail);
});

test("of two budgets the one that is used up is doubled, and only what was changed is sent", async () => {
  const part = { limits: { max_tokens: 1000, max_cost: 0.5 }, cost: 0.49 };
  const { server } = await open({ ...paused(part), "POST /experiments/e1/resume": { body: sweep() } });
  expect(await screen.findByRole("alert")).toHaveTextContent("$0.490 of $0.500, 138 of 1,000 tokens spent");
  await userEvent.click(button("Raise budget…"));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByLabelText("Cost budget in US dollars")).toHaveValue("1");
  expect(dialog.getByLabelText("Token budget")).toHaveValue("1000");
  await userEvent.click(dialog.getByRole("button", { name: "Raise and resume" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await server.bodies("POST /experiments/e1/resume")).toEqual([{ max_cost: 1 }]);
});

test("before a sweep is stopped the question says what that does", async () => {
  await open({ "GET /experiments/e1": { body: experiment({ sweep: sweep() }) } });
  await userEvent.click(button("Stop"));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("2 running runs will be cancelled");
  expect(dialog).toHaveTextContent("A stopped sweep cannot be resumed.");
});

test("why samples failed is told by kind, with an example", async () => {
  const done = sweep({ status: "completed", finish_reason: "all_runs", allowed: [] });
  const groups = [
    { kind: "timeout", stage: "classify", of: "samples", count: 12, example: "no answer in 30 s" },
    { kind: "configuration", of: "runs", count: 1, example: "unknown endpoint" },
  ];
  const { server } = await open({
    "GET /experiments/e1": { body: experiment({ status: "completed", sweep: done }) },
    "GET /experiments/e1/failures": { body: { items: groups } },
  });
  const section = await screen.findByRole("region", { name: "Why samples failed" });
  expect(section).toHaveTextContent("12 samples: timeout in stage classifyno answer in 30 s");
  expect(section).toHaveTextContent("1 run: configurationunknown endpoint");
  expect(server.requests.find(({ url }) => url.includes("/failures"))?.url).toMatch(/sweep_id=s1/);
});
