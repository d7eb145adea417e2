import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

// Machines that do other work too need longer than the usual second.
configure({ asyncUtilTimeout: 8000 });

class NoResizes {
  observe() {}
  unobserve() {}
  disconnect() {}
}

/** What browsers have and jsdom lacks. */
beforeEach(() => {
  if (typeof window === "undefined") return;
  vi.stubGlobal("ResizeObserver", NoResizes);
  vi.stubGlobal("matchMedia", (media: string) => ({
    media,
    matches: false,
    addEventListener() {},
    removeEventListener() {},
  }));
  window.scrollTo = () => {};
  Element.prototype.animate = vi.fn();
  HTMLCanvasElement.prototype.getContext = () => null;
});

afterEach(() => {
  if (typeof window === "undefined") return;
  cleanup();
  localStorage.clear();
});
