import type { ReactNode } from "react";
import { Menu as List, MenuItem, MenuTrigger, Popover, Button as Trigger } from "react-aria-components";
import { cx } from "@/lib/cx";
import { buttonClass, type Variant } from "./button";

export type MenuEntry = { id: string; label: string; note?: string; danger?: boolean; onAction: () => void };

type Props = { label: string; trigger: ReactNode; entries: MenuEntry[]; variant?: Variant };

/** A button that opens a short list of actions. */
export function Menu({ label, trigger, entries, variant = "plain" }: Props) {
  return (
    <MenuTrigger>
      <Trigger aria-label={label} className={buttonClass(variant)}>
        {trigger}
      </Trigger>
      <Popover
        placement="bottom end"
        className="min-w-44 max-w-80 rounded-lg border border-line bg-surface p-1 shadow-pop"
      >
        <List aria-label={label} className="outline-none">
          {entries.map((entry) => (
            <MenuItem
              key={entry.id}
              id={entry.id}
              textValue={entry.label}
              onAction={entry.onAction}
              className={cx(
                "rounded-md px-2.5 py-1.5 text-[13px] outline-none data-[focused]:bg-sunken",
                entry.danger && "text-bad",
              )}
            >
              {entry.label}
              {entry.note && <span className="block text-muted text-xs">{entry.note}</span>}
            </MenuItem>
          ))}
        </List>
      </Popover>
    </MenuTrigger>
  );
}
