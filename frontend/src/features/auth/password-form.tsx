import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { changePassword } from "@/api/auth";
import { problemAt } from "@/api/problem";
import { formText } from "@/lib/form-text";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";

/** Changes the user's own password, which ends all other sessions. */
export function PasswordForm({ onClose }: { onClose: () => void }) {
  const changing = useMutation({ mutationFn: changePassword, onSuccess: onClose });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    changing.mutate({ current: formText(form, "current"), new: formText(form, "new") });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <TextField
        label="Current password"
        name="current"
        type="password"
        autoComplete="current-password"
        problem={problemAt(changing.error, "/current")}
        required
      />
      <TextField
        label="New password"
        name="new"
        type="password"
        autoComplete="new-password"
        help="At least 8 characters. Other devices will be logged out."
        problem={problemAt(changing.error, "/new")}
        required
      />
      <ProblemNote error={changing.error} elsewhere={["/current", "/new"]} />
      <DialogActions>
        <CancelButton />
        <Button type="submit" variant="primary" busy={changing.isPending}>
          Change password
        </Button>
      </DialogActions>
    </form>
  );
}
