import type { ReactNode } from "react";
import { Modal as Box, Heading, ModalOverlay, Dialog as Panel } from "react-aria-components";
import { cx } from "@/lib/cx";
import { Icon } from "./icon";

type Props = {
  title: string;
  /** Esc, a click beside it or its cross: whoever opened the modal decides what comes of that. */
  onDismiss: () => void;
  wide?: boolean | undefined;
  role?: "dialog" | "alertdialog";
  children: ReactNode;
};

/** A titled box over the page that takes the focus; open for as long as it is rendered. */
export function Modal({ title, onDismiss, wide, role = "dialog", children }: Props) {
  return (
    <ModalOverlay
      isOpen
      onOpenChange={(open) => open || onDismiss()}
      isDismissable
      className="fixed inset-0 z-40 flex items-start justify-center overflow-y-auto bg-(--scrim) p-3 sm:p-8"
    >
      <Box
        className={cx(
          "w-full rounded-xl border border-line bg-surface shadow-pop",
          wide ? "max-w-3xl" : "max-w-lg",
        )}
      >
        <Panel role={role} className="flex flex-col outline-none">
          <header className="flex items-center justify-between gap-3 border-line border-b px-4 py-2.5">
            <Heading slot="title" className="font-semibold text-[15px]">
              {title}
            </Heading>
            <button
              type="button"
              aria-label="Close"
              className="-mr-1 rounded-md p-1.5 text-muted hover:bg-sunken hover:text-text"
              onClick={onDismiss}
            >
              <Icon name="close" />
            </button>
          </header>
          <div className="p-4">{children}</div>
        </Panel>
      </Box>
    </ModalOverlay>
  );
}
