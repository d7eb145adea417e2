import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the system's Chromium, headless; `CHROMIUM` names another executable. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: flags,
  });
}

/** Opens a page that is logged in with `token` and collects what the console and the page complain about. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions & { token?: string } = {},
): Promise<{ page: Page; complaints: string[] }> {
  const { token, ...context } = options;
  const page = await (await browser.newContext(context)).newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  if (token) {
    await page.addInitScript((value) => localStorage.setItem("promptlooper.token", value), token);
  }
  return { page, complaints };
}
