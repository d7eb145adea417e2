import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import { loggedIn, renderApp } from "@/testing/render-app";
import { at, event, experiment, row, run, runSample, sweep } from "@/testing/samples";
import { serve } from "@/testing/server";
import { FakeSocket, fakeSockets } from "@/testing/socket";

vi.mock("../features/experiment/best-chart", () => ({ default: () => null }));

const project = { id: "p1", name: "Support", created_at: at, updated_at: at };
const summary = { id: "e1", name: "triage", status: "running", best: { run_id: "r1", score: 0.9 } };

beforeEach(() => {
  fakeSockets();
  serve({
    "GET /projects": { body: { items: [project] } },
    "GET /projects/p1": { body: { ...project, experiments: { count: 1, items: [summary] } } },
    "GET /admin/settings": { body: { allow_guest_access: false } },
    "GET /experiments/e1": { body: experiment() },
    "GET /experiments/e1/leaderboard": { body: { items: [row(1), row(2, { ties_best: true })] } },
    "GET /runs/r1": { body: run() },
    "GET /runs/r1/samples": { body: { items: [runSample(0), runSample(1)] } },
  });
});

/** What axe finds where nothing is drawn; contrast needs a browser. */
async function violations(): Promise<string[]> {
  const result = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`);
}

test.each([
  ["/projects", "Projects"],
  ["/projects/p1", "Support"],
  ["/experiments/e1?tab=configuration", "ticket-triage"],
  ["/runs/r1", "Run r1"],
  ["/activity", "Activity"],
  ["/endpoints", "Endpoints"],
  ["/settings", "Settings"],
])("%s can be used by everybody", async (address, title) => {
  loggedIn();
  renderApp(address);
  await screen.findByRole("heading", { name: title, level: 1 });
  expect(await violations()).toEqual([]);
});

test("the login page can be used by everybody", async () => {
  renderApp("/login");
  await screen.findByRole("heading", { name: "Log in" });
  expect(await violations()).toEqual([]);
});

test("the live page and its dialog can be used by everybody", async () => {
  loggedIn();
  renderApp("/experiments/e1");
  await waitFor(() => expect(FakeSocket.all).not.toHaveLength(0));
  const data = { sweep: sweep({ allowed: [] }), events: [event(4, "run.failed", { error: "x" })] };
  act(() => FakeSocket.last.send({ seq: 5, type: "snapshot", at, data }));
  await screen.findByText("6 of 10");
  await screen.findByRole("link", { name: "Run ranked 1" });
  expect(await violations()).toEqual([]);
  const over = sweep({ status: "completed", allowed: [] });
  act(() => FakeSocket.last.send({ seq: 6, type: "snapshot", at, data: { sweep: over } }));
  await waitFor(() =>
    expect(screen.getByRole("button", { name: "Start sweep" })).not.toHaveAttribute("aria-disabled"),
  );
  await userEvent.click(screen.getByRole("button", { name: "Start sweep" }));
  await screen.findByRole("dialog");
  expect(await violations()).toEqual([]);
});
