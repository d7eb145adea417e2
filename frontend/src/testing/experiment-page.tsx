import { act, screen, waitFor } from "@testing-library/react";
import { expect } from "vitest";
import type { LiveMessage } from "@/api/live/messages";
import type { LeaderboardRow } from "@/api/types";
import { renderApp } from "./render-app";
import { at, experiment } from "./samples";
import { type Routes, serve } from "./server";
import { FakeSocket } from "./socket";

export const snapshot = (data: object): LiveMessage => ({ seq: 5, type: "snapshot", at, data: { ...data } });

/** A leaderboard's answer. */
export const board = (...items: LeaderboardRow[]) => ({ body: { items, standings_current: true } });

/** The experiment page with its stream open. */
export async function open(routes: Routes = {}, address = "/experiments/e1") {
  const server = serve({
    "GET /experiments/e1": { body: experiment() },
    "GET /experiments/e1/leaderboard": board(),
    "GET /experiments/e1/failures": { body: { items: [] } },
    ...routes,
  });
  const app = renderApp(address);
  await screen.findByRole("heading", { name: "ticket-triage", level: 1 });
  await waitFor(() => expect(FakeSocket.all).not.toHaveLength(0));
  act(() => FakeSocket.last.onopen?.());
  return { server, app };
}

export const send = (...messages: LiveMessage[]) => act(() => FakeSocket.last.send(...messages));
export const tile = (label: string) => screen.getByText(label, { selector: "dt" }).nextSibling;
export const button = (name: string) => screen.getByRole("button", { name });

/** The ranks on the leaderboard, top down. */
export const ranks = () =>
  screen.getAllByRole("link", { name: /^Run ranked/ }).map((link) => link.textContent?.replace(/\s/g, ""));
