import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./button";
import { CancelButton, Dialog, DialogActions } from "./dialog";
import { ProblemNote } from "./problem-note";

type Props = {
  title: string;
  action: string;
  open: boolean;
  onClose: () => void;
  onConfirm: () => Promise<unknown>;
  children: ReactNode;
};

/** Asks before something that cannot be undone. */
export function Confirm({ title, action, open, onClose, onConfirm, children }: Props) {
  const confirmed = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <div className="text-muted">{children}</div>
      <ProblemNote error={confirmed.error} className="mt-3" />
      <DialogActions>
        <CancelButton />
        <Button variant="danger" busy={confirmed.isPending} onClick={() => confirmed.mutate()}>
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
