import { useMutation } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { problemAt } from "@/api/problem";
import type { Credentials } from "@/api/types";
import { formText } from "@/lib/form-text";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { Logo } from "@/ui/logo";
import { card } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { useTitle } from "@/ui/use-title";

type Props = {
  title: string;
  intro: ReactNode;
  action: string;
  username?: string;
  newPassword?: boolean;
  onSubmit: (credentials: Credentials) => Promise<void>;
};

/** The form of both the setup and the login page. */
export function CredentialsForm({ title, intro, action, username, newPassword, onSubmit }: Props) {
  useTitle(title);
  const entering = useMutation({ mutationFn: onSubmit });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    entering.mutate({ username: formText(form, "username").trim(), password: formText(form, "password") });
  };
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <form onSubmit={submit} className={`${card} flex w-full max-w-sm flex-col gap-4 p-6 shadow-pop`}>
        <div className="flex items-center gap-2.5 font-semibold">
          <Logo size={28} />
          PromptLooper
        </div>
        <div>
          <h1 className="font-semibold text-lg tracking-tight">{title}</h1>
          <div className="mt-1 text-muted">{intro}</div>
        </div>
        <TextField
          label="Username"
          problem={problemAt(entering.error, "/username")}
          name="username"
          defaultValue={username}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <TextField
          label="Password"
          problem={problemAt(entering.error, "/password")}
          name="password"
          type="password"
          autoComplete={newPassword ? "new-password" : "current-password"}
          help={newPassword ? "At least 8 characters. This account has full access." : undefined}
          required
        />
        <ProblemNote error={entering.error} elsewhere={["/username", "/password"]} />
        <Button type="submit" variant="primary" busy={entering.isPending}>
          {action}
        </Button>
      </form>
    </main>
  );
}
