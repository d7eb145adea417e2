// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each layer may import, besides itself. */
const layers: Record<string, string[]> = {
  lib: ["lib", "api/types"],
  api: ["api", "lib"],
  ui: ["ui", "api", "lib"],
  features: ["ui", "api", "lib"],
  app: ["app", "features", "ui", "api", "lib"],
};

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .map((path) => join(folder, path));
}

/** What a file imports from this project, as paths from `src`. */
function imports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const named = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  return named.flatMap((name) => {
    if (name.startsWith("@/")) return [name.slice(2)];
    return name.startsWith(".") ? [relative(root, join(file, "..", name))] : [];
  });
}

function owner(path: string): string {
  const [layer = "", feature = ""] = path.split("/");
  return layer === "features" ? `features/${feature}` : layer;
}

const within = (path: string, part: string) => path === part || path.startsWith(`${part}/`);

test.each(Object.keys(layers))("%s imports only what it may", (layer) => {
  const wrong = sources(join(root, layer)).flatMap((file) => {
    const path = relative(root, file);
    const allowed = [owner(path), ...(layers[layer] ?? [])];
    return imports(file)
      .filter((target) => !allowed.some((part) => within(target, part)))
      .map((target) => `${path} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("no file grows beyond what can be read at once", () => {
  const long = sources(root)
    .filter((file) => !file.endsWith("schema.d.ts"))
    .filter((file) => readFileSync(file, "utf8").split("\n").length > 220)
    .map((file) => relative(root, file));
  expect(long).toEqual([]);
});
