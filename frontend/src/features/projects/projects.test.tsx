import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { loggedIn, renderApp } from "@/testing/render-app";
import { at, experiment } from "@/testing/samples";
import { problem, serve } from "@/testing/server";
import { fakeSockets } from "@/testing/socket";

const project = { id: "p1", name: "Support", description: "Tickets", created_at: at, updated_at: at };
const detail = {
  ...project,
  experiments: {
    count: 2,
    items: [
      { id: "e1", name: "triage", status: "running", best: { run_id: "r1", score: 0.875 } },
      { id: "e2", name: "summary", status: "draft" },
    ],
  },
};

beforeEach(() => {
  loggedIn();
  fakeSockets();
});

test("projects are listed and lead to their page", async () => {
  serve({ "GET /projects": { body: { items: [project] } }, "GET /projects/p1": { body: detail } });
  const app = renderApp("/projects");
  await userEvent.click(await screen.findByRole("link", { name: "Support" }));
  await screen.findByRole("heading", { name: "Support", level: 1 });
  expect(app.location()).toBe("/projects/p1");
});

test("a new project is made and opened", async () => {
  const server = serve({
    "GET /projects": { body: { items: [] } },
    "POST /projects": { status: 201, body: project },
    "GET /projects/p1": { body: detail },
  });
  renderApp("/projects");
  await userEvent.click(await screen.findByRole("button", { name: "New project" }));
  await userEvent.type(await screen.findByLabelText("Name"), "Support");
  await userEvent.click(screen.getByRole("button", { name: "Create project" }));
  await screen.findByRole("heading", { name: "Support", level: 1 });
  expect(await server.bodies("POST /projects")).toEqual([{ name: "Support" }]);
});

test("a project shows its experiments with status and best score", async () => {
  serve({ "GET /projects/p1": { body: detail } });
  renderApp("/projects/p1");
  const line = (await screen.findByRole("link", { name: "triage" })).closest("tr");
  expect(line).toHaveTextContent("Running");
  expect(within(line as HTMLElement).getByRole("link", { name: "0.875" })).toHaveAttribute(
    "href",
    "/runs/r1",
  );
});

test("a project that does not exist says so", async () => {
  serve({ "GET /projects/p1": { status: 404, body: problem({ status: 404, detail: "No such project." }) } });
  renderApp("/projects/p1");
  expect(await screen.findByText("Not found. It may have been deleted.")).toBeVisible();
  expect(screen.getByRole("link", { name: "Go to projects" })).toHaveAttribute("href", "/projects");
});

async function openEditor(): Promise<HTMLElement> {
  renderApp("/projects/p1");
  await userEvent.click(await screen.findByRole("button", { name: "New experiment" }));
  return screen.findByLabelText("Experiment document");
}

test("what is wrong in a document is shown with its pointer and line", async () => {
  const errors = [
    { pointer: "/pipeline_stages/0/prompt", code: "unknown_name", detail: "`sampel` is not defined" },
    { pointer: "/repeats", code: "out_of_range", detail: "must be at least 1" },
  ];
  serve({
    "GET /projects/p1": { body: detail },
    "POST /experiments": { status: 422, body: problem({ errors }) },
  });
  const editor = await openEditor();
  const text = '{\n "pipeline_stages": [{\n  "prompt": "{{ sampel }}"\n }],\n "repeats": 0\n}';
  fireEvent.change(editor, { target: { value: text } });
  await userEvent.click(screen.getByRole("button", { name: "Create experiment" }));
  const first = await screen.findByRole("button", { name: /sampel/ });
  expect(first).toHaveTextContent("Line 3 /pipeline_stages/0/prompt `sampel` is not defined");
  expect(screen.getByRole("button", { name: /at least 1/ })).toHaveTextContent("Line 5 /repeats");
  await userEvent.click(first);
  const area = editor as HTMLTextAreaElement;
  expect(text.slice(area.selectionStart, area.selectionEnd)).toBe('  "prompt": "{{ sampel }}"');
});

test("a document that is no JSON cannot be sent, and the button says why", async () => {
  serve({ "GET /projects/p1": { body: detail } });
  fireEvent.change(await openEditor(), { target: { value: '{\n "name": \n}' } });
  const create = screen.getByRole("button", { name: "Create experiment" });
  expect(create).toHaveAttribute("aria-disabled", "true");
  expect(create).toHaveAccessibleDescription("The document must be a JSON object.");
  expect(screen.getByRole("alert")).toHaveTextContent("Line 3");
});

test("a preview shows the rendered prompt and the warnings, and its problems lose their wrapping", async () => {
  const stages = [
    {
      stage: "classify",
      model: "qwen",
      parameters: {},
      messages: [{ role: "user", content: "Sort: <b>hello</b>" }],
    },
  ];
  const answers = [
    {
      status: 422,
      body: problem({ errors: [{ pointer: "/document/name", code: "missing", detail: "is missing" }] }),
    },
    { body: { stages, warnings: ["`reference` is for scorers"] } },
  ];
  serve({
    "GET /projects/p1": { body: detail },
    "POST /experiments/preview": () => answers.shift() ?? {},
  });
  const editor = await openEditor();
  await userEvent.click(screen.getByRole("button", { name: "Preview first sample" }));
  expect(await screen.findByRole("button", { name: /is missing/ })).toHaveTextContent("Line 2 /name");
  fireEvent.change(editor, { target: { value: '{"name": "x"}' } });
  await userEvent.click(screen.getByRole("button", { name: "Preview first sample" }));
  expect(await screen.findByText("Sort: <b>hello</b>")).toBeVisible();
  expect(screen.getByText("`reference` is for scorers")).toBeVisible();
});

test("a new experiment is made in the project and opened", async () => {
  const server = serve({
    "GET /projects/p1": { body: detail },
    "POST /experiments": { status: 201, body: experiment() },
    "GET /experiments/e1": { body: experiment() },
    "GET /experiments/e1/leaderboard": { body: { items: [] } },
  });
  fireEvent.change(await openEditor(), { target: { value: '{"name": "x", "pipeline_stages": []}' } });
  await userEvent.click(screen.getByRole("button", { name: "Create experiment" }));
  await screen.findByRole("heading", { name: "ticket-triage", level: 1 });
  expect(await server.bodies("POST /experiments")).toEqual([
    { name: "x", pipeline_stages: [], project_id: "p1" },
  ]);
});

test("before a project is deleted the question says what goes with it", async () => {
  const one = { count: 1, items: detail.experiments.items.slice(0, 1) };
  serve({ "GET /projects/p1": { body: { ...detail, experiments: one } } });
  renderApp("/projects/p1");
  await userEvent.click(await screen.findByRole("button", { name: "Project actions" }));
  await userEvent.click(screen.getByRole("menuitem", { name: "Delete…" }));
  expect(await screen.findByRole("dialog")).toHaveTextContent(
    "“Support” will be permanently deleted (1 experiment with all runs).",
  );
});
