import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faults } from "./axe";
import { launch, openPage } from "./chromium";
import { type Server, startServer } from "./program";

const password = "correct horse battery";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("from an empty installation to a result, and back in with the password", async () => {
  const { page, complaints } = await openPage(browser, { viewport: { width: 1440, height: 900 } });
  await page.goto(server.origin);
  await page.getByRole("heading", { name: "Set up PromptLooper" }).waitFor();
  expect(await faults(page)).toEqual([]);
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText(/at least 8/).waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();

  await page.getByRole("button", { name: "New project" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Support");
  await page.getByRole("button", { name: "Create project" }).click();
  await page.getByRole("heading", { name: "Support" }).waitFor();

  await page.getByRole("button", { name: "New experiment" }).click();
  const dialog = page.getByRole("dialog");
  const document = dialog.getByLabel("Experiment document");
  await dialog.getByText("Available endpoints: simulated.").waitFor();
  const starter = await document.inputValue();
  await document.fill(starter.replace("params.tone", "params.tune"));
  const keepEditing = page.getByRole("alertdialog").getByRole("button", { name: "Keep editing" });
  await page.keyboard.press("Escape");
  await keepEditing.click();
  await page.goBack();
  await keepEditing.click();
  expect(await document.inputValue()).toContain("params.tune");
  await dialog.getByRole("button", { name: "Create experiment" }).click();
  await dialog.getByText(/`params.tune`: unknown dimension `tune`/).waitFor();
  await document.fill(starter);
  await dialog.getByRole("button", { name: "Preview first sample" }).click();
  await dialog.getByText("You sort support tickets.", { exact: true }).waitFor();
  await dialog.getByRole("button", { name: "Create experiment" }).click();

  await page.getByRole("heading", { name: "ticket-triage" }).waitFor();
  await page.getByRole("button", { name: "Start sweep" }).click();
  await dialog.getByRole("button", { name: "Start sweep" }).click();
  const rows = page.getByRole("table", { name: /leaderboard/i }).locator("tbody tr");
  await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(6);

  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill("something else");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("username or password is wrong").waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("Support", { exact: true }).waitFor();
  // The browser itself notes refused requests; the page complains of nothing.
  expect(complaints.filter((text) => !/status of 4(01|22)/.test(text))).toEqual([]);
}, 120_000);
