import type { ReactNode } from "react";
import { Heading, Modal, ModalOverlay, Dialog as Panel } from "react-aria-components";
import { cx } from "@/lib/cx";
import { Icon } from "./icon";

type Props = {
  title: string;
  open: boolean;
  onClose: () => void;
  wide?: boolean;
  /** Whether a click beside it leaves it open, because work in it would be lost. */
  holdsWork?: boolean;
  children: ReactNode;
};

/** A modal dialog; its content is made anew each time it opens. */
export function Dialog({ title, open, onClose, wide, holdsWork, children }: Props) {
  return (
    <ModalOverlay
      isOpen={open}
      onOpenChange={(next) => next || onClose()}
      isDismissable={!holdsWork}
      className="fixed inset-0 z-40 flex items-start justify-center overflow-y-auto bg-(--scrim) p-3 sm:p-8"
    >
      <Modal
        className={cx(
          "w-full rounded-xl border border-line bg-surface shadow-pop",
          wide ? "max-w-3xl" : "max-w-lg",
        )}
      >
        <Panel className="flex flex-col outline-none">
          <header className="flex items-center justify-between gap-3 border-line border-b px-4 py-2.5">
            <Heading slot="title" className="font-semibold text-[15px]">
              {title}
            </Heading>
            <button
              type="button"
              aria-label="Close"
              className="-mr-1 rounded-md p-1.5 text-muted hover:bg-sunken hover:text-text"
              onClick={onClose}
            >
              <Icon name="close" />
            </button>
          </header>
          <div className="p-4">{children}</div>
        </Panel>
      </Modal>
    </ModalOverlay>
  );
}

/** The row of buttons that ends a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-4 flex flex-wrap items-center justify-end gap-2">{children}</div>;
}
