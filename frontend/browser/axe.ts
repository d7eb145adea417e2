import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type AxeResult = { violations: { id: string; nodes: { target: string[] }[] }[] };

/** What axe has against a page, by rule and element. */
export async function faults(page: Page): Promise<string[]> {
  // The content security policy keeps scripts out that are not ours, so this one comes through the debugger.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const run = (window as unknown as { axe: { run: () => Promise<AxeResult> } }).axe.run;
    const { violations } = await run();
    return violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.target.join(" ")}`));
  });
}
