import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { loggedIn, renderApp } from "@/testing/render-app";
import { experiment, run, runSample } from "@/testing/samples";
import { type Routes, serve } from "@/testing/server";

beforeEach(loggedIn);

async function open(routes: Routes = {}) {
  const server = serve({
    "GET /runs/r1": { body: run() },
    "GET /runs/r1/samples": { body: { items: [runSample(0)] } },
    "GET /experiments/e1": { body: experiment() },
    ...routes,
  });
  renderApp("/runs/r1");
  await screen.findByRole("heading", { name: `Run ${run().id.slice(-8)}`, level: 1 });
  return server;
}

test("a run shows its values, figures and scorers", async () => {
  await open();
  expect(screen.getByText("friendly")).toBeVisible();
  expect(screen.getByText("0.875", { selector: "dd span" })).toBeVisible();
  expect(screen.getByRole("row", { name: /exact_match 0\.875 0\.800 to 0\.950 2 0/ })).toBeVisible();
  expect(await screen.findByRole("link", { name: "ticket-triage" })).toHaveAttribute(
    "href",
    "/experiments/e1",
  );
});

test("each sample shows prompt, answer, marks and scores", async () => {
  await open();
  expect(await screen.findByText("Sort: input 0")).toBeVisible();
  expect(screen.getByText("answer 0")).toBeVisible();
  expect(screen.getByText("cached")).toBeVisible();
  expect(screen.getByText("truncated")).toHaveAttribute("title", "The output was truncated at max_tokens");
  expect(screen.getByText("equal", { selector: "p" })).toBeVisible();
});

test("what a model writes stays text", async () => {
  const [stage] = runSample(0).stages;
  const answer = "<img src=x onerror=alert(1)><b>bold</b>";
  const hostile = runSample(0, { stages: stage ? [{ ...stage, response_raw: answer }] : [] });
  await open({ "GET /runs/r1/samples": { body: { items: [hostile] } } });
  expect(await screen.findByText(answer)).toBeVisible();
  expect(document.querySelector("img")).toBeNull();
});

test("reasoning is folded away, accepted answers and odd answers are told", async () => {
  const [stage] = runSample(0).stages;
  const thought = runSample(0, {
    reference: undefined,
    references: ["billing", "invoice"],
    stages: stage ? [{ ...stage, reasoning: "It speaks of a card." }] : [],
  });
  await open({
    "GET /runs/r1": { body: run({ flags: { truncated: 2 } }) },
    "GET /runs/r1/samples": { body: { items: [thought] } },
  });
  expect(await screen.findByText(/billing\s+invoice/)).toBeVisible();
  expect(screen.getByText("It speaks of a card.")).not.toBeVisible();
  await userEvent.click(screen.getByText("Reasoning", { selector: "summary" }));
  expect(screen.getByText("It speaks of a card.")).toBeVisible();
  expect(screen.getByText(/2 truncated/)).toBeVisible();
});

test("a failed sample and a failed run say why", async () => {
  const [stage] = runSample(0).stages;
  const broken = runSample(0, {
    stages: stage
      ? [{ ...stage, response_raw: undefined, error: { kind: "timeout", message: "no answer in 30 s" } }]
      : [],
  });
  await open({
    "GET /runs/r1": {
      body: run({
        status: "failed",
        error: { kind: "endpoint", message: "503 three times", stage: "classify" },
      }),
    },
    "GET /runs/r1/samples": { body: { items: [broken] } },
  });
  expect(screen.getByRole("alert")).toHaveTextContent("endpoint: 503 three timesAt stage classify");
  expect(await screen.findByText("no answer in 30 s")).toBeVisible();
});

test("a stage that asks no chat model shows what it asked, and no response", async () => {
  const [stage] = runSample(0).stages;
  const cut = { ...stage, stage: "cut", prompt_sent: undefined, response_raw: undefined };
  const find = { ...stage, stage: "find", prompt_sent: "Which fee is charged?", response_raw: undefined };
  await open({
    "GET /runs/r1/samples": { body: { items: [runSample(0, { stages: [cut, find] as never })] } },
  });
  const sample = await screen.findByText("Which fee is charged?");
  expect(sample).toBeVisible();
  expect(screen.getByRole("heading", { name: "cut" })).toBeVisible();
  expect(screen.queryByText("Response")).toBeNull();
});

test("a stage that calls a service shows its request, the names of its headers and its answer", async () => {
  const [stage] = runSample(0).stages;
  const request = {
    method: "POST",
    url: "http://10.0.0.5/rank",
    headers: ["x-key"],
    body: { input: "fees?" },
  };
  const rank = {
    ...stage,
    stage: "rank",
    prompt_sent: request,
    response_raw: '{"best":',
    model_used: undefined,
    model_returned: undefined,
    error: { kind: "not_json", message: "stage `rank` answered no JSON" },
  };
  await open({
    "GET /runs/r1/samples": { body: { items: [runSample(0, { stages: [rank] as never })] } },
  });
  expect(await screen.findByText("POST http://10.0.0.5/rank")).toBeVisible();
  expect(screen.getByText("headers: x-key")).toBeVisible();
  expect(screen.getByText(/"input": "fees\?"/)).toBeVisible();
  expect(screen.getByText('{"best":')).toBeVisible();
  expect(screen.getByText("stage `rank` answered no JSON")).toBeVisible();
  expect(screen.queryByText(/ in, .* out/)).toBeNull();
});

test("more samples come page by page", async () => {
  const server = await open({
    "GET /runs/r1/samples": (request) =>
      new URL(request.url).searchParams.get("cursor") === "c1"
        ? { body: { items: [runSample(1)] } }
        : { body: { items: [runSample(0)], next_cursor: "c1" } },
  });
  await userEvent.click(await screen.findByRole("button", { name: "Load more samples" }));
  await screen.findByText("answer 1");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Load more samples" })).toBeNull());
  expect(server.requests.filter(({ url }) => url.includes("/samples"))).toHaveLength(2);
});
