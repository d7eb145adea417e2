import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { loggedIn, renderApp } from "@/testing/render-app";
import { problem, serve } from "@/testing/server";

const local = {
  id: "n1",
  label: "local",
  kind: "openai",
  api: "responses",
  auth: "api-key",
  url: "http://127.0.0.1:8000/v1",
  has_key: true,
  key_last4: "1234",
  limits: { concurrency: 8 },
  prices: { qwen: { input_per_million: 0.1, output_per_million: 0.2 } },
  max_tokens_field: "max_tokens",
  timeout_s: 60,
  headers: { "x-org": "***" },
};

test("an endpoint can be tested, and says what it offers or what is wrong", async () => {
  const answers = [
    { ok: false, latency_ms: 3, models: [], error: "connection refused" },
    { ok: true, latency_ms: 42, models: ["qwen"] },
  ];
  loggedIn();
  serve({
    "GET /endpoints": { body: { items: [local] } },
    "POST /endpoints/n1/test": () => ({ body: answers.shift() }),
  });
  renderApp("/endpoints");
  expect(await screen.findByText("ends in 1234")).toBeVisible();
  expect(screen.getByText("x-org")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Test" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("connection refused");
  await userEvent.click(screen.getByRole("button", { name: "Test" }));
  expect(await screen.findByText("OK, 42 ms. Models: qwen")).toBeVisible();
});

test("an endpoint is added", async () => {
  loggedIn();
  const server = serve({ "POST /endpoints": { status: 201, body: local } });
  renderApp("/endpoints");
  await userEvent.click(await screen.findByRole("button", { name: "Add endpoint" }));
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.type(dialog.getByLabelText("Label"), "local");
  await userEvent.type(dialog.getByLabelText("URL"), "http://127.0.0.1:8000/v1");
  await userEvent.type(dialog.getByLabelText("API key"), "secret");
  await userEvent.type(dialog.getByLabelText("Prices"), "qwen 0.1 0.2");
  await userEvent.click(dialog.getByRole("button", { name: "Add endpoint" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await server.bodies("POST /endpoints")).toEqual([
    {
      label: "local",
      kind: "openai",
      url: "http://127.0.0.1:8000/v1",
      api_key: "secret",
      prices: local.prices,
    },
  ]);
});

test("an endpoint's key is changed, and what the form does not show stays", async () => {
  loggedIn();
  const server = serve({
    "GET /endpoints": { body: { items: [local] } },
    "PUT /endpoints/n1": { body: local },
  });
  renderApp("/endpoints");
  await userEvent.click(await screen.findByRole("button", { name: "Actions for local" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Edit…" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByLabelText("URL")).toHaveValue(local.url);
  await userEvent.type(dialog.getByLabelText("API key"), "another");
  await userEvent.click(dialog.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  // The server keeps headers that are left out.
  const { id: _, has_key: __, key_last4: ___, headers: ____, ...rest } = local;
  expect(await server.bodies("PUT /endpoints/n1")).toEqual([{ ...rest, api_key: "another" }]);
});

test("an endpoint of another kind has the protocol and the header of that kind", async () => {
  loggedIn();
  const server = serve({
    "GET /endpoints": { body: { items: [local] } },
    "PUT /endpoints/n1": { body: local },
  });
  renderApp("/endpoints");
  await userEvent.click(await screen.findByRole("button", { name: "Actions for local" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Edit…" }));
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.selectOptions(dialog.getByLabelText("Kind"), "Anthropic");
  expect(dialog.getByLabelText("API key")).toBeVisible();
  await userEvent.click(dialog.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const [sent] = await server.bodies("PUT /endpoints/n1");
  expect(sent).toMatchObject({ kind: "anthropic", url: local.url });
  expect(sent).not.toHaveProperty("api");
  expect(sent).not.toHaveProperty("auth");
});

test("an endpoint that is in use is not deleted, and the reason is said", async () => {
  loggedIn();
  const detail = "these experiments name it: triage; change or delete them first";
  serve({
    "GET /endpoints": { body: { items: [local] } },
    "DELETE /endpoints/n1": { status: 409, body: problem({ status: 409, code: "endpoint_in_use", detail }) },
  });
  renderApp("/endpoints");
  await userEvent.click(await screen.findByRole("button", { name: "Actions for local" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Delete…" }));
  await userEvent.click(await screen.findByRole("button", { name: "Delete endpoint" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(detail);
});
