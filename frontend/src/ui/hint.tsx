import type { ComponentProps } from "react";
import { Focusable, Tooltip, TooltipTrigger } from "react-aria-components";

type Props = { text: string; children: ComponentProps<typeof Focusable>["children"] };

/** Explains a focusable element on hover and focus. */
export function Hint({ text, children }: Props) {
  return (
    <TooltipTrigger delay={250} closeDelay={80}>
      <Focusable>{children}</Focusable>
      <Tooltip
        offset={6}
        className="max-w-72 rounded-md border border-line bg-surface px-2.5 py-1.5 text-xs text-text shadow-pop"
      >
        {text}
      </Tooltip>
    </TooltipTrigger>
  );
}
