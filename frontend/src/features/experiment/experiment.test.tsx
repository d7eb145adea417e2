import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { button, open, ranks, send, snapshot, tile } from "@/testing/experiment-page";
import { loggedIn } from "@/testing/render-app";
import { at, event, experiment, row, run, sweep } from "@/testing/samples";
import { administrator, problem, unauthorized } from "@/testing/server";
import { FakeSocket, fakeSockets } from "@/testing/socket";

// There is no canvas here.
vi.mock("./best-chart", () => ({ default: () => null }));

beforeEach(() => {
  loggedIn();
  fakeSockets();
});

test("the stream fills the figures", async () => {
  await open();
  expect(screen.getByText("Connected", { selector: "[role=status]" })).toBeVisible();
  send(snapshot({ sweep: sweep({ cost: 0.0123, best: { run_id: "r1", score: 0.9 } }) }));
  await waitFor(() => expect(tile("Runs")).toHaveTextContent("6 of 10"));
  expect(tile("Runs")).toHaveTextContent("2 running, 1 failed, 2 cached");
  expect(tile("Tokens")).toHaveTextContent("1,500");
  expect(tile("Cost")).toHaveTextContent("$0.0123");
  expect(tile("Cache hit rate")).toHaveTextContent("25.0 %");
  expect(tile("Time left")).toHaveTextContent("1 min 30 s");
});

test("where no price is known the cost is not invented", async () => {
  await open();
  send(snapshot({ sweep: sweep() }));
  await waitFor(() => expect(tile("Cost")).toHaveTextContent("–No price known"));
});

test("what may not be done is disabled with the reason", async () => {
  await open();
  expect(button("Pause")).toHaveAccessibleDescription("No sweep has been started.");
  expect(button("Start sweep")).not.toHaveAttribute("aria-disabled");
  send(snapshot({ sweep: sweep() }));
  await waitFor(() => expect(button("Pause")).not.toHaveAttribute("aria-disabled"));
  expect(button("Start sweep")).toHaveAccessibleDescription(/The sweep is running/);
  send({
    seq: 0,
    type: "progress",
    at,
    data: { sweep: sweep({ status: "completed", allowed: [] }), running: [] },
  });
  await waitFor(() => expect(button("Stop")).toHaveAccessibleDescription("The sweep has ended."));
  expect(button("Start sweep")).not.toHaveAttribute("aria-disabled");
});

test("pausing shows what the server answers at once", async () => {
  const paused = sweep({ status: "paused", pause_reason: "manual", allowed: ["resume", "stop"] });
  const { server } = await open({ "POST /experiments/e1/pause": { body: paused } });
  send(snapshot({ sweep: sweep() }));
  await waitFor(() => expect(button("Pause")).not.toHaveAttribute("aria-disabled"));
  await userEvent.click(button("Pause"));
  await screen.findByRole("button", { name: "Resume" });
  expect(screen.getByText("Paused", { selector: "h1 ~ *" })).toBeVisible();
  send(event(6, "experiment.paused", { sweep_id: "s1", reason: "manual" }, "ada"));
  expect(await screen.findByText("Paused by ada", { selector: "h1 ~ *" })).toBeVisible();
  expect(await server.bodies("POST /experiments/e1/pause")).toEqual([{ now: false }]);
});

test("a refused action says why", async () => {
  const refused = { status: 409, body: problem({ status: 409, detail: "The sweep has just ended." }) };
  await open({ "POST /experiments/e1/pause": refused });
  send(snapshot({ sweep: sweep() }));
  await waitFor(() => expect(button("Pause")).not.toHaveAttribute("aria-disabled"));
  await userEvent.click(button("Pause"));
  expect(await screen.findByRole("alert")).toHaveTextContent("The sweep has just ended.");
});

test("a sweep shows what it would take before it starts", async () => {
  const dryRun = {
    configurations: 10,
    configurations_text: "10",
    calls: 200,
    cached_calls: 40,
    estimated_tokens: 9000,
    warnings: ["`temperature` has no effect on `m`"],
  };
  const { server } = await open({
    "POST /experiments/e1/sweep": async (request) =>
      ((await request.json()) as { dry_run?: boolean }).dry_run
        ? { body: dryRun }
        : { status: 202, body: sweep() },
  });
  await userEvent.click(button("Start sweep"));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByRole("list", { name: "Warnings" })).toHaveTextContent(
    "temperature has no effect on m",
  );
  await waitFor(() => expect(within(dialog).getByText("200")).toBeVisible());
  expect(dialog).toHaveTextContent("no price known");
  await userEvent.type(within(dialog).getByLabelText("Max runs"), "5");
  await userEvent.click(within(dialog).getByRole("button", { name: "Start sweep" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect((await server.bodies("POST /experiments/e1/sweep")).at(-1)).toEqual({ kind: "grid", max_runs: 5 });
});

test("the leaderboard shows ties, leads to the runs and follows the stream", async () => {
  const boards = [
    [row(1), row(2, { ties_best: true })],
    [row(1, { run_id: "r3" }), row(2, { run_id: "r1" })],
  ];
  await open({
    "GET /experiments/e1/leaderboard": () => ({
      body: { items: boards.length > 1 ? boards.shift() : boards[0], standings_current: true },
    }),
  });
  await waitFor(() => expect(ranks()).toEqual(["1", "2="]));
  expect(
    screen.getByRole("link", { name: /ranked 2\. Not significantly different from #1/ }),
  ).toHaveAttribute("href", "/runs/r2");
  expect(screen.getByRole("cell", { name: "tone-1" })).toBeVisible();
  send(snapshot({}), event(6, "run.completed", { run_id: "r3", score: 0.99 }));
  await waitFor(() =>
    expect(screen.getByRole("link", { name: "Run ranked 1" })).toHaveAttribute("href", "/runs/r3"),
  );
});

/** A board of three that sorts and filters as the server would. */
const sorting = (request: Request) => {
  const query = new URL(request.url).searchParams;
  const items = [row(1), row(2), row(3)];
  if (query.get("sort") === "-scores.exact_match") items.reverse();
  const tone = query.get("values")?.replace("tone=", "");
  return {
    body: { items: items.filter(({ values }) => !tone || values.tone === tone), standings_current: true },
  };
};

test("a scorer's column sorts on the server, and the address remembers", async () => {
  const { app } = await open({ "GET /experiments/e1/leaderboard": sorting });
  await waitFor(() => expect(ranks()).toEqual(["1", "2", "3"]));
  await userEvent.click(button("exact_match"));
  await waitFor(() => expect(ranks()).toEqual(["3", "2", "1"]));
  expect(app.location()).toContain("sort=-scores.exact_match");
  expect(screen.getByRole("columnheader", { name: /exact_match/ })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
});

test("the board shows runs with one value only, and the address remembers", async () => {
  const values = ["tone-1", "tone-2", "tone-3"];
  const { app } = await open({
    "GET /experiments/e1": { body: experiment({ parameter_space: { tone: { type: "choice", values } } }) },
    "GET /experiments/e1/leaderboard": sorting,
  });
  await waitFor(() => expect(ranks()).toEqual(["1", "2", "3"]));
  await userEvent.selectOptions(screen.getByLabelText("Show ranked runs with value"), "tone: tone-2");
  await waitFor(() => expect(ranks()).toEqual(["2"]));
  expect(app.location()).toContain("value=tone%3Dtone-2");
});

test("standings that are behind are asked for again", async () => {
  const boards = [
    { items: [row(1), row(2)], standings_current: false },
    { items: [row(1), row(2, { ties_best: true })], standings_current: true },
  ];
  await open({
    "GET /experiments/e1/leaderboard": () => ({ body: boards.length > 1 ? boards.shift() : boards[0] }),
  });
  await waitFor(() => expect(ranks()).toEqual(["1", "2"]));
  await waitFor(() => expect(ranks()).toEqual(["1", "2="]), { timeout: 3000 });
});

test("the timeline tells events in words and shows one type on demand", async () => {
  const { app } = await open();
  send(
    snapshot({}),
    event(6, "run.failed", { run_id: "r1", error: { kind: "endpoint", message: "<i>503</i>" } }),
    event(7, "new_best_found", { run_id: "r2", score: 0.9, config: { tone: "friendly" } }),
  );
  expect(await screen.findByText("<i>503</i>")).toBeVisible();
  expect(screen.getByText("0.900 with tone: friendly")).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText("Show events of type"), "run.failed");
  await waitFor(() => expect(screen.queryByText("0.900 with tone: friendly")).toBeNull());
  expect(screen.getByText("<i>503</i>")).toBeVisible();
  expect(app.location()).toContain("type=run.failed");
});

test("the configuration can be read", async () => {
  await open({}, "/experiments/e1?tab=configuration");
  expect(screen.getByText("Sort: {{ sample.input }}")).toBeVisible();
  expect(screen.getByText("neutral | friendly")).toBeVisible();
});

test("the export can be read, copied and downloaded", async () => {
  const text = "LLM_MODEL=qwen\n# Score: 0.87 | Experiment: x\n";
  await open({ "GET /experiments/e1/export/env": { text } });
  await userEvent.click(screen.getByRole("button", { name: "Export the best configuration" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: /^\.env/ }));
  expect(await screen.findByRole("textbox", { name: /\.env/ })).toHaveValue(text);
  expect(screen.getByRole("link", { name: /Download/ })).toHaveAttribute("download", "ticket-triage.env");
});

test("a lost connection is said", async () => {
  await open();
  act(() => FakeSocket.last.drop());
  expect(screen.getByText(/Connection lost/)).toBeVisible();
});

test("all runs are listed, and those of one status on demand", async () => {
  const { config: _, ...base } = run();
  const done = { ...base, id: "r-done", values: { tone: "friendly" } };
  const failed = {
    ...done,
    id: "r-fail",
    status: "failed",
    error: { kind: "endpoint", message: "503 three times" },
  };
  const { app } = await open(
    {
      "GET /experiments/e1/sweeps": { body: { items: [sweep({ kind: "random", seed: 77 })] } },
      "GET /experiments/e1/runs": (request) =>
        new URL(request.url).searchParams.get("status") === "failed"
          ? { body: { items: [failed] } }
          : { body: { items: [done, failed] } },
    },
    "/experiments/e1?tab=runs",
  );
  expect(await screen.findByRole("cell", { name: "tone: friendly" })).toBeVisible();
  expect(screen.getByRole("cell", { name: "random" })).toBeVisible();
  expect(screen.getByText("503 three times")).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText("Show runs with status"), "failed");
  await waitFor(() => expect(screen.queryByRole("cell", { name: "tone: friendly" })).toBeNull());
  expect(app.location()).toContain("status=failed");
  expect(document.title).toBe("ticket-triage · PromptLooper");
});

test("a connection that is lost because the token has expired leads to the login page", async () => {
  const answers = { me: administrator };
  await open({ "GET /auth/me": () => answers.me });
  answers.me = unauthorized;
  act(() => FakeSocket.last.drop());
  await screen.findByRole("heading", { name: "Log in" });
  expect(localStorage.getItem("promptlooper.token")).toBeNull();
});

test("the editor says what can change once there are runs", async () => {
  const user = userEvent.setup();
  const runs = { ...experiment().runs, cached: 3 };
  const { server } = await open({
    "GET /experiments/e1": { body: experiment({ runs }) },
    "PUT /experiments/e1": {
      status: 409,
      body: problem({ status: 409, code: "sweep_active", detail: "a sweep is going through this space" }),
    },
  });
  await user.click(button("Experiment actions"));
  await user.click(screen.getByRole("menuitem", { name: "Edit document…" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("while no sweep is active, its parameter space");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(dialog).toHaveTextContent("a sweep is going through this space"));
  expect(await server.bodies("PUT /experiments/e1")).toHaveLength(1);
});

test("a board full of ties says what would tell more apart", async () => {
  const tied = (ties: number) =>
    [1, 2, 3, 4, 5, 6].map((rank) => row(rank, { n: 12, ties_best: rank <= ties }));
  await open({ "GET /experiments/e1/leaderboard": { body: { items: tied(5), standings_current: true } } });
  expect(
    await screen.findByText(/With n = 12 and 6 runs only large differences are significant/),
  ).toBeVisible();
});

test("a board with few ties needs no advice", async () => {
  const items = [1, 2, 3, 4, 5, 6].map((rank) => row(rank, { ties_best: rank <= 2 }));
  await open({ "GET /experiments/e1/leaderboard": { body: { items, standings_current: true } } });
  expect(await screen.findByText(/Bars: 95 % confidence interval/)).not.toHaveTextContent(
    "large differences",
  );
});

test("before an experiment is deleted the question says how many runs go with it", async () => {
  const runs = { ...experiment().runs, completed: 160, failed: 8 };
  await open({ "GET /experiments/e1": { body: experiment({ runs }) } });
  await userEvent.click(button("Experiment actions"));
  await userEvent.click(screen.getByRole("menuitem", { name: "Delete…" }));
  expect(await screen.findByRole("dialog")).toHaveTextContent(
    "“ticket-triage” will be permanently deleted (168 runs).",
  );
});

test("the endpoints say how many calls are in use, and why none are sent", async () => {
  await open();
  send(snapshot({ endpoints: [{ label: "local", in_use: 3, concurrency: 8 }], running: [] }));
  expect(await screen.findByText("3 of 8 calls in use")).toBeVisible();
  expect(screen.getByText("Nothing is running.")).toBeVisible();
  const running = [{ run_id: "r1", samples: { total: 1, done: 0, failed: 0 } }];
  const load = { label: "local", in_use: 1, concurrency: 8 };
  const progress = (changed: object) =>
    send({ seq: 0, type: "progress", at, data: { running, endpoints: [{ ...load, ...changed }] } });
  progress({});
  expect(await screen.findByText("1 of 8 calls in use")).toBeVisible();
  expect(screen.getByText("0 of 1 sample")).toBeVisible();
  progress({ backing_off_until: "2026-11-01T12:00:30Z" });
  expect(await screen.findByText(/^Backing off until \d\d:00:30$/)).toBeVisible();
  progress({ breaker: "401: wrong key" });
  expect(await screen.findByTitle("401: wrong key")).toHaveTextContent("Paused: refuses every call");
  progress({ breaker: "402: pay", breaker_until: "2026-11-01T12:05:00Z" });
  expect(await screen.findByText(/^Paused until \d\d:05:00$/)).toBeVisible();
});

test("a board that goes on after the page says how many of how many runs it shows", async () => {
  const runs = { ...experiment().runs, completed: 4990, cached: 10 };
  await open({
    "GET /experiments/e1": { body: experiment({ runs, sweep: sweep({ status: "completed", allowed: [] }) }) },
    "GET /experiments/e1/leaderboard": ({ url }) =>
      url.includes("cursor=")
        ? { body: { items: [], standings_current: true, next_cursor: "more" } }
        : { body: { items: [row(1), row(2)], standings_current: true, next_cursor: "more" } },
  });
  expect(await screen.findByText("Top 2 of 5,000 runs")).toBeVisible();
});
