import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { SampleScore } from "@/api/types";
import { loggedIn, renderApp } from "@/testing/render-app";
import { experiment, run, runSample } from "@/testing/samples";
import { problem, type Routes, serve } from "@/testing/server";

beforeEach(loggedIn);

const rated = experiment({
  scoring_config: [{ scorer: "exact_match" }, { scorer: "human_rating", weight: 0 }],
});
const post = "POST /runs/r1/score";

async function open(routes: Routes = {}) {
  const server = serve({
    "GET /runs/r1": { body: run() },
    "GET /runs/r1/samples": { body: { items: [runSample(0)] } },
    "GET /experiments/e1": { body: rated },
    [post]: { body: run() },
    ...routes,
  });
  renderApp("/runs/r1");
  await screen.findByText("answer 0");
  return server;
}

const ratingOf = (what: string) => screen.findByRole("radiogroup", { name: `Your rating of ${what}` });
const choice = async (what: string, name: string) =>
  within(await ratingOf(what)).getByRole("radio", { name });

test("stars of a sample are stored at once, and its scores are fetched again", async () => {
  let scores: SampleScore[] = [];
  const server = await open({
    "GET /runs/r1/samples": () => ({ body: { items: [runSample(0, { scores })] } }),
    [post]: () => {
      scores = [{ scorer_name: "human_rating", value: 0.75, metadata: { raters: 1 } }];
      return { body: run() };
    },
  });
  await userEvent.click(await choice("sample 0", "4 stars"));
  expect(await screen.findByText("1 rater")).toBeVisible();
  expect(await server.bodies(post)).toEqual([{ stars: 4, sample_index: 0 }]);
  expect(await choice("sample 0", "4 stars")).toBeChecked();
  expect(screen.getByText("Saved")).toBeVisible();
  expect(server.requests.filter(({ url }) => url.endsWith("/runs/r1"))).toHaveLength(2);
});

test("the run as a whole is rated with the keyboard", async () => {
  const server = await open();
  const up = await choice("the run", "Thumb up");
  up.focus();
  await userEvent.keyboard("{ArrowRight}");
  expect(await choice("the run", "Thumb down")).toHaveFocus();
  expect(await server.bodies(post)).toEqual([]);
  await userEvent.keyboard(" ");
  await screen.findByText("Saved");
  expect(await server.bodies(post)).toEqual([{ thumb: "down" }]);
});

test("a comment goes with the rating that was given, and with each later one", async () => {
  const server = await open();
  expect(screen.queryByLabelText("Comment (optional)")).toBeNull();
  await userEvent.click(await choice("sample 0", "Thumb up"));
  await userEvent.type(await screen.findByLabelText("Comment (optional)"), " names the cause {Enter}");
  await waitFor(async () => expect(await server.bodies(post)).toHaveLength(2));
  await userEvent.click(await choice("sample 0", "5 stars"));
  await waitFor(async () => expect(await server.bodies(post)).toHaveLength(3));
  expect(await server.bodies(post)).toEqual([
    { thumb: "up", sample_index: 0 },
    { thumb: "up", sample_index: 0, comment: "names the cause" },
    { stars: 5, sample_index: 0, comment: "names the cause" },
  ]);
});

test("a refused rating says why, and is not shown as given", async () => {
  const detail = "others keep rating this run: try again";
  await open({ [post]: { status: 409, body: problem({ status: 409, code: "conflict", detail }) } });
  await userEvent.click(await choice("sample 0", "1 star"));
  expect(await screen.findByRole("alert")).toHaveTextContent(detail);
  expect(await choice("sample 0", "1 star")).not.toBeChecked();
  expect(screen.queryByLabelText("Comment (optional)")).toBeNull();
});

test("a check of the samples asks for ratings too", async () => {
  const scores = { human_rating: { n: 0, failed: 0 } };
  await open({ "GET /runs/r1": { body: run({ scores }) }, "GET /experiments/e1": { body: experiment() } });
  expect(await ratingOf("sample 0")).toBeVisible();
});

test.each<[string, Routes]>([
  ["the experiment does not ask for ratings", { "GET /experiments/e1": { body: experiment() } }],
  ["the user may only read", { "GET /auth/me": { body: { kind: "guest", scope: "read" } } }],
  ["the run has not ended", { "GET /runs/r1": { body: run({ status: "running" }) } }],
])("nothing can be rated where %s", async (_, routes) => {
  await open(routes);
  await screen.findByRole("link", { name: "ticket-triage" });
  expect(screen.queryByRole("radiogroup")).toBeNull();
});

test("a sample that failed has no output to rate", async () => {
  const [stage] = runSample(1).stages;
  const failed = runSample(1, {
    stages: stage ? [{ ...stage, error: { kind: "timeout", message: "no answer" } }] : [],
  });
  await open({ "GET /runs/r1/samples": { body: { items: [runSample(0), failed] } } });
  await ratingOf("sample 0");
  expect(screen.queryByRole("radiogroup", { name: "Your rating of sample 1" })).toBeNull();
});

test("what scorers say is shown as text: reasons, comments, and why one failed", async () => {
  const reason = "<b>It names the cause.</b>";
  const cut = "the judge's answer was cut at its max_tokens of 64: raise it";
  const scores: SampleScore[] = [
    { scorer_name: "helpful", value: 0.75, metadata: { reason, criteria: { clarity: 4 } } },
    { scorer_name: "human_rating", value: 1, metadata: { raters: 2, comments: ["short and right"] } },
    { scorer_name: "judge", error: cut },
  ];
  await open({ "GET /runs/r1/samples": { body: { items: [runSample(0, { scores })] } } });
  expect(await screen.findByText(reason)).toBeVisible();
  expect(screen.getByText("clarity 4")).toBeVisible();
  expect(screen.getByText("short and right")).toBeVisible();
  expect(screen.getByText(`Not scored: ${cut}`)).toBeVisible();
});
