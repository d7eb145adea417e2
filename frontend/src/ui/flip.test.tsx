import { render } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { useFlip } from "./flip";

function List({ keys }: { keys: string[] }) {
  const list = useFlip<HTMLUListElement>(keys.join(" "));
  return (
    <ul ref={list}>
      {keys.map((key) => (
        <li key={key} data-key={key} />
      ))}
    </ul>
  );
}

/** Every line is 30 px high. */
function layOut() {
  vi.spyOn(HTMLElement.prototype, "offsetTop", "get").mockImplementation(function (this: HTMLElement) {
    return [...(this.parentElement?.children ?? [])].indexOf(this) * 30;
  });
  const moves: Record<string, unknown> = {};
  Element.prototype.animate = vi.fn(function (this: HTMLElement, frames: Keyframe[]) {
    moves[this.dataset.key ?? ""] = frames[0];
    return {} as Animation;
  }) as Element["animate"];
  return moves;
}

test("lines that change places glide there from where they were, new ones appear", () => {
  const moves = layOut();
  const { rerender } = render(<List keys={["a", "b", "c"]} />);
  expect(moves).toEqual({});
  rerender(<List keys={["c", "a", "d"]} />);
  expect(moves).toEqual({
    c: { transform: "translateY(60px)" },
    a: { transform: "translateY(-30px)" },
    d: { opacity: 0 },
  });
});

test("when more than ten lines change places they are there at once", () => {
  const moves = layOut();
  const keys = [..."abcdefghijk"];
  const { rerender } = render(<List keys={keys} />);
  rerender(<List keys={keys.toReversed()} />);
  // The sixth of eleven stays in the middle.
  expect(Object.keys(moves)).toHaveLength(10);
  rerender(<List keys={[...keys, "l"]} />);
  rerender(<List keys={["l", ...keys]} />);
  expect(Object.keys(moves)).not.toContain("l");
});

test("nothing moves for whoever wants no motion", () => {
  const moves = layOut();
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  const { rerender } = render(<List keys={["a", "b"]} />);
  rerender(<List keys={["b", "a"]} />);
  expect(moves).toEqual({});
});
