// @vitest-environment node
import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";

const here = (path: string) => new URL(path, import.meta.url);

test("the client's types are those of the OpenAPI document", async () => {
  const generated =
    COMMENT_HEADER + astToString(await openapiTS(here("../../openapi.json"), { defaultNonNullable: false }));
  const stored = readFileSync(here("./schema.d.ts"), "utf8");
  expect(stored === generated, "run `npm run generate`").toBe(true);
});
