import type { ReactNode } from "react";
import { cx } from "@/lib/cx";
import { card } from "./page";

/** A dense table that scrolls inside its own frame, reachable by keyboard. */
export function Table({
  label,
  className,
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section
      aria-label={`${label}, table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
      tabIndex={0}
      className={cx(card, "relative overflow-x-auto", className)}
    >
      <table aria-label={label} className="data-table w-full border-collapse text-[13px]">
        {children}
      </table>
    </section>
  );
}
