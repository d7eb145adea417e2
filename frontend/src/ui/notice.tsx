import type { ReactNode } from "react";
import { cx } from "@/lib/cx";
import { Icon } from "./icon";
import { toneText } from "./status";

type Props = { tone: "warn" | "bad"; title: string; actions?: ReactNode; children?: ReactNode };

const background = { warn: "bg-warn-soft", bad: "bg-bad-soft" };

/** What a page says above everything else: what went wrong, why, and what can be done. */
export function Notice({ tone, title, actions, children }: Props) {
  return (
    <div
      role="alert"
      className={cx("mb-4 flex gap-2.5 rounded-xl border border-line px-3.5 py-3", background[tone])}
    >
      <span className={cx("mt-0.5", toneText[tone])}>
        <Icon name="alert" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{title}</p>
        {children && <div className="mt-0.5 break-words text-[13px]">{children}</div>}
        {actions && <div className="mt-2 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}
