import { useBlocker } from "@tanstack/react-router";
import { createContext, type ReactNode, useContext, useState } from "react";
import { Button } from "./button";
import { Modal } from "./modal";

type Props = {
  title: string;
  open: boolean;
  onClose: () => void;
  wide?: boolean;
  children: ReactNode;
};

/**
 * A modal dialog; its content is made anew each time it opens. Once something was entered in it, it is not left
 * without a question: not by Esc, its cross, a click beside it or Cancel, and not by the browser's Back or Reload.
 */
export function Dialog({ open, ...props }: Props) {
  return open && <OpenDialog {...props} />;
}

const RequestClose = createContext(() => {});

function OpenDialog({ title, onClose, wide, children }: Omit<Props, "open">) {
  const [dirty, setDirty] = useState(false);
  const [closing, setClosing] = useState(false);
  const leaving = useHistoryBlock(dirty);
  const requestClose = () => (dirty ? setClosing(true) : onClose());
  const keep = () => {
    setClosing(false);
    leaving?.cancel();
  };
  const discard = () => {
    leaving?.proceed();
    onClose();
  };
  return (
    <>
      <Modal title={title} onDismiss={requestClose} wide={wide}>
        <RequestClose value={requestClose}>
          <div onInput={() => setDirty(true)}>{children}</div>
        </RequestClose>
      </Modal>
      {(closing || leaving) && <DiscardQuestion onKeep={keep} onDiscard={discard} />}
    </>
  );
}

/** The page's own links cannot be reached from a dialog, and what a form saved may lead to another page. */
const isHistoryStep = ({ action }: { action: string }) => action !== "PUSH" && action !== "REPLACE";

/** A step through the browser's history that waits for an answer. */
function useHistoryBlock(active: boolean): { proceed: () => void; cancel: () => void } | undefined {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: isHistoryStep,
    enableBeforeUnload: active,
    disabled: !active,
    withResolver: true,
  });
  return status === "blocked" ? { proceed, cancel: reset } : undefined;
}

function DiscardQuestion({ onKeep, onDiscard }: { onKeep: () => void; onDiscard: () => void }) {
  return (
    <Modal title="Discard your changes?" role="alertdialog" onDismiss={onKeep}>
      <p className="text-muted">What you entered has not been saved.</p>
      <DialogActions>
        <Button variant="danger" onClick={onDiscard}>
          Discard
        </Button>
        <Button variant="primary" onClick={onKeep}>
          Keep editing
        </Button>
      </DialogActions>
    </Modal>
  );
}

/** Closes the dialog that it stands in. */
export function CancelButton() {
  return <Button onClick={useContext(RequestClose)}>Cancel</Button>;
}

/** The row of buttons that ends a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-4 flex flex-wrap items-center justify-end gap-2">{children}</div>;
}
