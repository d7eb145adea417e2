import { type ComponentProps, useId } from "react";
import { cx } from "@/lib/cx";
import { Hint } from "./hint";

export type Variant = "primary" | "plain" | "quiet" | "danger";

const base =
  "inline-flex items-center justify-center gap-1.5 rounded-md border px-2.5 h-8 text-[13px] font-medium whitespace-nowrap select-none transition-colors";

const variants: Record<Variant, string> = {
  primary: "border-transparent bg-accent text-on-accent hover:bg-accent-hover",
  plain: "border-line bg-surface text-text hover:bg-sunken",
  quiet: "border-transparent bg-transparent text-muted hover:bg-sunken hover:text-text",
  danger: "border-line bg-surface text-bad hover:bg-bad-soft",
};

const disabledClass = "border-line bg-sunken text-muted cursor-not-allowed";

export const buttonClass = (variant: Variant = "plain") => cx(base, variants[variant]);

type Props = ComponentProps<"button"> & {
  variant?: Variant;
  /** Why it cannot be used now; without one it can. */
  reason?: string | undefined;
  busy?: boolean;
};

/** A button that stays reachable by keyboard when it is disabled, so that its reason can be read. */
export function Button({ variant = "plain", reason, busy, onClick, children, className, ...rest }: Props) {
  const reasonId = useId();
  const blocked = reason !== undefined || busy;
  const button = (
    <button
      type="button"
      {...rest}
      className={cx(base, blocked ? disabledClass : variants[variant], className)}
      aria-disabled={blocked || undefined}
      aria-busy={busy || undefined}
      aria-describedby={reason ? reasonId : undefined}
      onClick={blocked ? (event) => event.preventDefault() : onClick}
    >
      {children}
    </button>
  );
  if (!reason) return button;
  return (
    <>
      <Hint text={reason}>{button}</Hint>
      <span id={reasonId} className="sr-only">
        {reason}
      </span>
    </>
  );
}
