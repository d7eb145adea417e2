import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { loggedIn, renderApp } from "@/testing/render-app";
import { problem, serve, unauthorized } from "@/testing/server";

const session = {
  token: "fresh",
  expires_at: "2030-01-01T00:00:00Z",
  user: { id: "u1", username: "ada", is_admin: true },
};
const setup = (required: boolean, guests = false) => ({
  body: { required, guest_access: guests, version: "0.1.0" },
});
const noProjects = { body: { items: [] } };

async function fillIn(username: string, password: string, action: string) {
  const user = userEvent.setup();
  const name = await screen.findByLabelText("Username");
  await user.clear(name);
  await user.type(name, username);
  await user.type(screen.getByLabelText("Password"), password);
  await user.click(screen.getByRole("button", { name: action }));
}

test("whoever is not logged in is sent to the login page and comes back to where they were going", async () => {
  const server = serve({ "POST /auth/login": { body: session }, "GET /projects": noProjects });
  const app = renderApp("/projects?x=1");
  await screen.findByRole("heading", { name: "Log in" });
  expect(app.location()).toBe("/login?next=%2Fprojects%3Fx%3D1");
  await fillIn("ada", "secret", "Log in");
  await screen.findByText("No projects yet");
  expect(app.location()).toBe("/projects?x=1");
  expect(await server.bodies("POST /auth/login")).toEqual([{ username: "ada", password: "secret" }]);
  expect(localStorage.getItem("promptlooper.token")).toBe("fresh");
});

test("a wrong password is said, and the page stays", async () => {
  const wrong = { status: 401, body: problem({ status: 401, detail: "Wrong username or password." }) };
  serve({ "POST /auth/login": wrong });
  const app = renderApp("/login");
  await fillIn("ada", "wrong", "Log in");
  expect(await screen.findByRole("alert")).toHaveTextContent("Wrong username or password.");
  expect(app.location()).toBe("/login");
});

test("the first visitor makes the first account", async () => {
  const state = { required: true };
  serve({
    "GET /auth/setup": () => setup(state.required),
    "POST /auth/setup": () => {
      state.required = false;
      return { status: 201, body: session };
    },
    "GET /projects": noProjects,
  });
  const app = renderApp("/projects");
  await screen.findByRole("heading", { name: "Set up PromptLooper" });
  expect(screen.getByLabelText("Username")).toHaveValue("admin");
  await fillIn("ada", "a long password", "Create account");
  await screen.findByText("No projects yet");
  expect(app.location()).toBe("/projects");
});

test("what is wrong with a password is said at its field", async () => {
  const detail = "a password has at least 8 characters";
  const errors = [{ pointer: "/password", code: "password_too_short", detail }];
  serve({
    "GET /auth/setup": setup(true),
    "POST /auth/setup": { status: 422, body: problem({ detail: `/password: ${detail}`, errors }) },
  });
  renderApp("/setup");
  await fillIn("ada", "short", "Create account");
  const field = await screen.findByLabelText("Password");
  await waitFor(() => expect(field).toHaveAccessibleDescription(detail));
  expect(field).toBeInvalid();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a one-time link signs in and leaves no code in the address", async () => {
  const server = serve({ "POST /auth/once": { body: session }, "GET /projects": noProjects });
  const app = renderApp("/login?once=0012e4");
  await screen.findByText("No projects yet");
  expect(app.location()).toBe("/projects");
  const asked = server.requests.find((request) => request.url.endsWith("/auth/once"));
  expect(asked?.headers.get("Authorization")).toBe("Bearer 0012e4");
});

test("a used one-time link says so and offers the form", async () => {
  const used = { status: 401, body: problem({ status: 401, detail: "This link was used before." }) };
  serve({ "POST /auth/once": used });
  const app = renderApp("/login?once=old");
  await screen.findByText(/This link was used before/);
  expect(screen.getByLabelText("Username")).toBeVisible();
  expect(app.location()).not.toContain("once=");
});

test("a changed password brings a new token, and a wrong one is said at its field", async () => {
  const detail = "the current password is another";
  const answers = [
    { status: 422, body: problem({ errors: [{ pointer: "/current", code: "wrong_password", detail }] }) },
    { body: session },
  ];
  loggedIn();
  const server = serve({ "GET /projects": noProjects, "PUT /auth/password": () => answers.shift() ?? {} });
  renderApp("/projects");
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Account: ada" }));
  await user.click(await screen.findByRole("menuitem", { name: "Change password…" }));
  await user.type(await screen.findByLabelText("Current password"), "old one");
  await user.type(screen.getByLabelText("New password"), "a longer one");
  await user.click(screen.getByRole("button", { name: "Change password" }));
  await waitFor(() => expect(screen.getByLabelText("Current password")).toHaveAccessibleDescription(detail));
  await user.click(screen.getByRole("button", { name: "Change password" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(localStorage.getItem("promptlooper.token")).toBe("fresh");
  expect((await server.bodies("PUT /auth/password"))[1]).toEqual({ current: "old one", new: "a longer one" });
});

test("a token that the server no longer knows is dropped", async () => {
  loggedIn();
  serve({ "GET /projects": unauthorized });
  const app = renderApp("/projects");
  await screen.findByRole("heading", { name: "Log in" });
  expect(app.location()).toBe("/login?next=%2Fprojects");
  expect(localStorage.getItem("promptlooper.token")).toBeNull();
});

test("guests look where they are allowed, and every change is disabled with the reason", async () => {
  serve({
    "GET /auth/setup": setup(false, true),
    "GET /auth/me": { body: { kind: "guest", scope: "read" } },
    "GET /projects": noProjects,
  });
  renderApp("/projects");
  await screen.findByText("No projects yet");
  const create = await screen.findByRole("button", { name: "New project" });
  await waitFor(() => expect(create).toHaveAttribute("aria-disabled", "true"));
  expect(create).toHaveAccessibleDescription(/Guests have read-only access/);
  expect(screen.getByRole("link", { name: "Log in" })).toBeVisible();
});
