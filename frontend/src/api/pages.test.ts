import { expect, test } from "vitest";
import { fullPage, type PageQuery } from "./pages";

test("a page that comes short is filled up from the next ones", async () => {
  const asked: PageQuery[] = [];
  const pages = [
    { items: [1], next_cursor: "a" },
    { items: [], next_cursor: "b" },
    { items: [2, 3], next_cursor: "c" },
  ];
  const page = await fullPage({ limit: 3 }, async (query) => {
    asked.push(query);
    return pages[asked.length - 1] ?? { items: [] };
  });
  expect(page).toEqual({ items: [1, 2, 3], next_cursor: "c" });
  expect(asked).toEqual([{ limit: 3 }, { limit: 2, cursor: "a" }, { limit: 2, cursor: "b" }]);
});

test("the last page has no cursor", async () => {
  const pages = [{ items: [1], next_cursor: "a" }, { items: [2] }];
  const page = await fullPage({ limit: 5 }, async () => pages.shift() ?? { items: [] });
  expect(page).toEqual({ items: [1, 2] });
});
