import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { LeaderboardRow } from "@/api/types";
import { board, button, open, ranks, send } from "@/testing/experiment-page";
import { loggedIn } from "@/testing/render-app";
import { event, row, run } from "@/testing/samples";
import { fakeSockets } from "@/testing/socket";

// There is no canvas here.
vi.mock("./best-chart", () => ({ default: () => null }));

beforeEach(() => {
  loggedIn();
  fakeSockets();
});

const runs = () =>
  screen.getAllByRole("link", { name: /^Run ranked/ }).map((link) => link.getAttribute("href")?.slice(6));

const rowOf = (id: string, rank: number, score: number) => row(rank, { run_id: id, score });
const first = [rowOf("a", 1, 0.9), rowOf("b", 2, 0.8)];
const second = [rowOf("c", 1, 0.95), rowOf("b", 2, 0.92), rowOf("a", 3, 0.9)];

/** The page with a board that can be changed; `change` waits until the page has asked for the new one. */
async function openBoard() {
  let items: LeaderboardRow[] = first;
  let seq = 10;
  const { server } = await open({ "GET /experiments/e1/leaderboard": () => board(...items) });
  await waitFor(() => expect(runs()).toEqual(["a", "b"]));
  const asked = () => server.requests.filter(({ url }) => url.includes("/leaderboard")).length;
  const change = async (next: LeaderboardRow[]) => {
    items = next;
    const before = asked();
    send(event(++seq, "run.completed", { run_id: "c" }));
    await waitFor(() => expect(asked()).toBeGreaterThan(before));
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  return change;
}

/** Longer than what rows that are not held wait before they move. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 1100));
const refresh = () => screen.queryByRole("button", { name: /refresh/ });
const table = () => screen.getByRole("table", { name: "Leaderboard" });

test("rows stay where they are under the pointer, and the new order is offered", async () => {
  const change = await openBoard();
  await userEvent.hover(table());
  await change(second);
  await pause();
  expect(runs()).toEqual(["a", "b"]);
  expect(refresh()).toHaveTextContent("2 new results · refresh");
  await userEvent.click(refresh() as HTMLElement);
  expect(runs()).toEqual(["c", "b", "a"]);
  expect(refresh()).toBeNull();
});

test("rows stay where they are while the keyboard is among them", async () => {
  const change = await openBoard();
  screen.getByRole("region", { name: "Leaderboard, table" }).focus();
  await userEvent.tab();
  await change(second);
  await pause();
  expect(runs()).toEqual(["a", "b"]);
  expect(refresh()).toBeVisible();
});

test("when the pointer leaves, the new order is shown", async () => {
  const change = await openBoard();
  await userEvent.hover(table());
  await change(second);
  await userEvent.unhover(table());
  await waitFor(() => expect(runs()).toEqual(["c", "b", "a"]));
});

test("figures change in place under the pointer, and rows are added at the end", async () => {
  const change = await openBoard();
  await userEvent.hover(table());
  await change([rowOf("a", 1, 0.91), rowOf("b", 2, 0.8), rowOf("c", 3, 0.7)]);
  expect(runs()).toEqual(["a", "b", "c"]);
  expect(screen.getByText("0.910")).toBeVisible();
  expect(refresh()).toBeNull();
});

test("rows move once a second at most", async () => {
  const change = await openBoard();
  await pause();
  const moved = Date.now();
  await change(second);
  expect(runs()).toEqual(["c", "b", "a"]);
  await change(first.concat(rowOf("c", 3, 0.1)));
  await waitFor(() => expect(runs()).toEqual(["a", "b", "c"]), { interval: 10 });
  expect(Date.now() - moved).toBeGreaterThan(900);
});

test("a difference that is not displayed moves no row", async () => {
  const change = await openBoard();
  await change([rowOf("a", 1, 0.8001), rowOf("b", 2, 0.8)]);
  await change([rowOf("b", 1, 0.8002), rowOf("a", 2, 0.8001), rowOf("c", 3, 0.1)]);
  await waitFor(() => expect(runs()).toEqual(["a", "b", "c"]));
  expect(ranks()).toEqual(["1", "2", "3"]);
});

test("another sort order is shown at once, also under the pointer", async () => {
  await open({
    "GET /experiments/e1/leaderboard": ({ url }) =>
      board(...(url.includes("sort=") ? [...first].reverse() : first)),
  });
  await waitFor(() => expect(runs()).toEqual(["a", "b"]));
  await userEvent.hover(table());
  await userEvent.click(button("exact_match"));
  await waitFor(() => expect(runs()).toEqual(["b", "a"]));
  expect(refresh()).toBeNull();
});

test("new runs do not push the table of runs away from under the pointer", async () => {
  const { config: _, ...base } = run();
  const of = (...ids: string[]) => ({
    body: { items: ids.map((id) => ({ ...base, id: `run-${id}`, values: {} })) },
  });
  let answer = of("a");
  await open(
    { "GET /experiments/e1/runs": () => answer, "GET /experiments/e1/sweeps": { body: { items: [] } } },
    "/experiments/e1?tab=runs",
  );
  await screen.findByRole("link", { name: "run-a" });
  await userEvent.hover(screen.getByRole("table", { name: "Runs" }));
  answer = of("b", "a");
  expect(await screen.findByText("1 new result · refresh")).toBeVisible();
  expect(screen.queryByRole("link", { name: "run-b" })).toBeNull();
});
