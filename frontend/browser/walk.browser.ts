import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faults } from "./axe";
import { launch, openPage } from "./chromium";
import { type Server, startDemo } from "./program";

const tokenKey = "promptlooper.token";

let demo: Server;
let browser: Browser;
let token: string;
let experiment: string;
let run: string;

beforeAll(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

test("a newcomer watches the sweep, opens the best run and takes its configuration along", async () => {
  const { page, complaints } = await openPage(browser, { viewport: { width: 1440, height: 1000 } });
  await page.goto(demo.said);
  await page.getByRole("heading", { name: "support-triage" }).waitFor();
  expect(page.url()).not.toContain("once=");
  experiment = new URL(page.url()).pathname;
  token = (await page.evaluate((key) => localStorage.getItem(key), tokenKey)) ?? "";

  const rows = page.getByRole("table", { name: /leaderboard/i }).locator("tbody tr");
  await expect.poll(() => rows.count(), { timeout: 30_000 }).toBeGreaterThan(3);
  expect(await rows.count()).toBeLessThan(30);
  await expect.poll(() => rows.count(), { timeout: 50_000, interval: 200 }).toBe(30);
  await page.getByText("30 of 30").waitFor();
  expect(await rows.first().textContent()).toContain("1.000");

  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: /env/i }).click();
  const exported = page.getByRole("dialog");
  await exported.getByText(/LLM_MODEL=sim-/).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    exported.getByRole("link", { name: /download/i }).click(),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toMatch(/^LLM_MODEL=sim-large\n[\s\S]*# Score: 1 \|/);
  await page.keyboard.press("Escape");

  await rows.first().getByRole("link").first().click();
  await page.waitForURL(/\/runs\//);
  run = new URL(page.url()).pathname;
  await page.getByText("My card was charged twice for the March invoice").first().waitFor();
  await page
    .getByText("You sort support tickets for a small software company.", { exact: true })
    .first()
    .waitFor();
  expect(complaints).toEqual([]);
}, 120_000);

test("the link logs in again in another browser, and without it nobody sees anything", async () => {
  const colleague = await openPage(browser);
  await colleague.page.goto(demo.said);
  await colleague.page.getByRole("heading", { level: 1 }).getByText("support-triage").waitFor();
  const { page } = await openPage(browser);
  await page.goto(demo.origin + experiment);
  await page.getByRole("button", { name: /log in/i }).waitFor();
  expect(page.url()).toContain("/login");
});

test("a second sweep, started by hand, is answered from the cache", async () => {
  const { page, complaints } = await openPage(browser, { token });
  await page.goto(demo.origin + experiment);
  await page.getByRole("button", { name: "Start sweep" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/720/).first().waitFor();
  await dialog.getByRole("combobox").first().selectOption("random");
  await dialog.getByRole("button", { name: /^start/i }).click();
  const headers = { authorization: `Bearer ${token}` };
  const sweep = async () =>
    (await (await fetch(`${demo.origin}/api/v1${experiment}`, { headers })).json()).sweep;
  await expect.poll(sweep, { timeout: 30_000 }).toMatchObject({
    kind: "random",
    status: "completed",
    calls: 0,
    progress: { cached: 30 },
  });
  await page.getByText("100.0 %").waitFor();
  expect(complaints).toEqual([]);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [390, 768, 1440]) {
    test(`every page fits and is accessible: ${colorScheme}, ${width} px`, async () => {
      const viewport = { width, height: 900 };
      const { page, complaints } = await openPage(browser, { token, viewport, colorScheme });
      const paths = [
        "/projects",
        experiment,
        `${experiment}?tab=runs`,
        `${experiment}?tab=configuration`,
        run,
      ];
      for (const path of [...paths, "/activity", "/endpoints", "/settings"]) {
        await page.goto(demo.origin + path);
        await page.getByRole("heading").first().waitFor();
        await page.waitForLoadState("networkidle");
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(beyond, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
        expect(await faults(page), path).toEqual([]);
      }
      expect(complaints).toEqual([]);
    });
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`the chart looks the same without motion: ${colorScheme}`, async () => {
    const drawn = async (reducedMotion: "reduce" | "no-preference") => {
      const viewport = { width: 1440, height: 900 };
      const { page } = await openPage(browser, { token, viewport, colorScheme, reducedMotion });
      await page.goto(demo.origin + experiment);
      await page.waitForLoadState("networkidle");
      return page.locator("canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    };
    await expect.poll(() => drawn("reduce")).toBe(await drawn("no-preference"));
  });
}

test("how fast the first page is", async () => {
  const { page } = await openPage(browser);
  await page.goto(`${demo.origin}/login`, { waitUntil: "networkidle" });
  const { bytes, paint } = await page.evaluate(() => {
    const scripts = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"));
    return {
      bytes: scripts.reduce((sum, each) => sum + (each as PerformanceResourceTiming).encodedBodySize, 0),
      paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
    };
  });
  process.stdout.write(
    `first load ${Math.round(bytes / 1024)} KiB of JavaScript as sent, first paint ${Math.round(paint)} ms\n`,
  );
  expect(bytes).toBeGreaterThan(0);
});
