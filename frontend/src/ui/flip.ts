import { type RefObject, useLayoutEffect, useRef } from "react";

const prefersReducedMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Lets the children of an element glide to their new places when `order` changes, unless so many move that nobody could
 * follow them. Children are told apart by their `data-key`.
 */
export function useFlip<E extends HTMLElement>(order: string): RefObject<E | null> {
  const parent = useRef<E>(null);
  const places = useRef(new Map<string, number>());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new order is what moves the children
  useLayoutEffect(() => {
    if (!parent.current) return;
    const before = places.current;
    places.current = measure(parent.current);
    if (before.size > 0 && !prefersReducedMotion()) glide(parent.current, before, places.current);
  }, [order]);
  return parent;
}

function childrenOf(parent: HTMLElement): HTMLElement[] {
  return [...parent.children].filter((child): child is HTMLElement => child instanceof HTMLElement);
}

function measure(parent: HTMLElement): Map<string, number> {
  return new Map(childrenOf(parent).map((child) => [child.dataset.key ?? "", child.offsetTop]));
}

function glide(parent: HTMLElement, before: Map<string, number>, after: Map<string, number>): void {
  const moves = childrenOf(parent).flatMap((child) => {
    const key = child.dataset.key ?? "";
    const [from, to] = [before.get(key), after.get(key)];
    return to === undefined || from === to ? [] : [{ child, from, to }];
  });
  if (moves.length > maxGliding) return;
  for (const { child, from, to } of moves) {
    child.animate(from === undefined ? appear : slide(from - to), { duration: 260, easing: "ease-out" });
  }
}

const maxGliding = 10;

const appear = [{ opacity: 0 }, { opacity: 1 }];
const slide = (by: number) => [{ transform: `translateY(${by}px)` }, { transform: "none" }];
