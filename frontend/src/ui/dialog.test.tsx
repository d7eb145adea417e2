import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { loggedIn, renderApp, renderInWindow } from "@/testing/render-app";
import { at } from "@/testing/samples";
import { serve } from "@/testing/server";
import { fakeSockets } from "@/testing/socket";

const project = { id: "p1", name: "Support", created_at: at, updated_at: at };

beforeEach(() => {
  loggedIn();
  fakeSockets();
  serve({
    "GET /projects": { body: { items: [project] } },
    "GET /projects/p1": { body: { ...project, experiments: { count: 0, items: [] } } },
  });
});

const question = () => screen.findByRole("alertdialog", { name: "Discard your changes?" });
const answer = async (name: string) =>
  userEvent.click(within(await question()).getByRole("button", { name }));
const focused = () => document.activeElement as HTMLElement;
const editor = () => screen.queryByLabelText("Experiment document");

/** The dialog of a new experiment with something typed at the end of its document. */
async function typeExperiment() {
  await userEvent.click(await screen.findByRole("button", { name: "New experiment" }));
  const text = await screen.findByLabelText<HTMLTextAreaElement>("Experiment document");
  await userEvent.type(text, " my work", { initialSelectionStart: text.value.length });
}

const ways: [string, () => Promise<unknown>][] = [
  ["Esc", () => userEvent.keyboard("{Escape}")],
  ["the cross", () => userEvent.click(screen.getByRole("button", { name: "Close" }))],
  ["Cancel", () => userEvent.click(screen.getByRole("button", { name: "Cancel" }))],
  ["a click beside it", () => userEvent.click(document.body)],
];

test.each(ways)("typed text is not lost to %s: it is asked for first", async (_, leave) => {
  renderApp("/projects/p1");
  await typeExperiment();
  await leave();
  await answer("Keep editing");
  expect((editor() as HTMLTextAreaElement).value).toMatch(/ my work$/);
  await waitFor(() => expect(editor()?.closest("[role=dialog]")).toContainElement(focused()));
  await leave();
  await answer("Discard");
  await waitFor(() => expect(editor()).toBeNull());
});

test("Esc at the question goes back to the text", async () => {
  renderApp("/projects/p1");
  await typeExperiment();
  await userEvent.keyboard("{Escape}");
  await question();
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(editor()).not.toBeNull();
});

test("a dialog in which nothing was typed closes without a question", async () => {
  renderApp("/projects/p1");
  await userEvent.click(await screen.findByRole("button", { name: "New experiment" }));
  await screen.findByLabelText("Experiment document");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(editor()).toBeNull());
});

test("typed text is not lost to the browser's Back", async () => {
  const app = renderInWindow("/projects");
  await userEvent.click(await screen.findByRole("link", { name: "Support" }));
  await typeExperiment();
  act(() => window.history.back());
  await answer("Keep editing");
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(app.location()).toBe("/projects/p1");
  expect((editor() as HTMLTextAreaElement).value).toMatch(/ my work$/);
  act(() => window.history.back());
  await answer("Discard");
  await screen.findByRole("heading", { name: "Projects", level: 1 });
  expect(app.location()).toBe("/projects");
});

/** Whether the browser would ask before it leaves or reloads the page. */
const unloadAsks = () => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));

test("the browser asks before it reloads the page over typed text, and only then", async () => {
  renderInWindow("/projects/p1");
  await screen.findByRole("button", { name: "New experiment" });
  expect(unloadAsks()).toBe(false);
  await typeExperiment();
  expect(unloadAsks()).toBe(true);
  await userEvent.keyboard("{Escape}");
  await answer("Discard");
  await waitFor(() => expect(editor()).toBeNull());
  expect(unloadAsks()).toBe(false);
});

test("what was saved is not asked about", async () => {
  serve({
    "GET /projects": { body: { items: [] } },
    "POST /projects": { status: 201, body: project },
    "GET /projects/p1": { body: { ...project, experiments: { count: 0, items: [] } } },
  });
  renderInWindow("/projects");
  await userEvent.click(await screen.findByRole("button", { name: "New project" }));
  await userEvent.type(await screen.findByLabelText("Name"), "Support");
  await userEvent.click(screen.getByRole("button", { name: "Create project" }));
  await screen.findByRole("heading", { name: "Support", level: 1 });
  expect(screen.queryByRole("alertdialog")).toBeNull();
});
