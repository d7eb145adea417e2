import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { loggedIn, renderApp } from "@/testing/render-app";
import { problem, serve } from "@/testing/server";

const local = { id: "n1", label: "local", kind: "openai", url: "http://127.0.0.1:8000/v1" };
const known = { allow_guest_access: true, default_endpoint: "local", default_judge_model: "judge" };

test("settings are shown and replaced; an empty field is no default", async () => {
  loggedIn();
  const server = serve({
    "GET /projects": { body: { items: [] } },
    "GET /endpoints": { body: { items: [local] } },
    "GET /admin/settings": { body: known },
    "PUT /admin/settings": async (request) => ({ body: await request.json() }),
  });
  const app = renderApp("/projects");
  await userEvent.click(await screen.findByRole("button", { name: "Account: ada" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Settings" }));
  expect(await screen.findByLabelText("Default judge model")).toHaveValue("judge");
  expect(app.location()).toBe("/settings");
  expect(screen.getByLabelText("Default endpoint")).toHaveValue("local");
  await userEvent.clear(screen.getByLabelText("Default judge model"));
  await userEvent.type(screen.getByLabelText("Default model"), " qwen ");
  await userEvent.click(screen.getByLabelText(/Guests may see everything/));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText(/^Saved/)).toBeVisible();
  expect(await server.bodies("PUT /admin/settings")).toEqual([
    { allow_guest_access: false, default_endpoint: "local", default_model: "qwen" },
  ]);
});

test("what is wrong with a setting is said at its field", async () => {
  const detail = "unknown endpoint `local`. There are none";
  const errors = [{ pointer: "/default_endpoint", code: "unknown_endpoint", detail }];
  loggedIn();
  serve({
    "GET /endpoints": { body: { items: [local] } },
    "GET /admin/settings": { body: known },
    "PUT /admin/settings": { status: 422, body: problem({ detail, errors }) },
  });
  renderApp("/settings");
  await userEvent.click(await screen.findByRole("button", { name: "Save" }));
  const field = screen.getByLabelText("Default endpoint");
  await waitFor(() => expect(field).toHaveAccessibleDescription(detail));
});

test("only administrators see the settings", async () => {
  const user = { id: "u2", username: "bob", is_admin: false };
  loggedIn();
  const server = serve({
    "GET /auth/me": { body: { kind: "user", scope: "write", user } },
    "GET /admin/settings": { status: 403, body: problem({ status: 403, detail: "not allowed" }) },
  });
  renderApp("/settings");
  expect(await screen.findByText("Only administrators can do this.")).toBeVisible();
  expect(server.requests.some((request) => request.url.endsWith("/admin/settings"))).toBe(false);
  await userEvent.click(screen.getByRole("button", { name: "Account: bob" }));
  expect(await screen.findByRole("menuitem", { name: "Change password…" })).toBeVisible();
  expect(screen.queryByRole("menuitem", { name: "Settings" })).toBeNull();
});
