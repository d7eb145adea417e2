import type { QueryClient } from "@tanstack/react-query";
import { redirect } from "@tanstack/react-router";
import { logInOnce, setupQuery } from "@/api/auth";
import { toProblem } from "@/api/problem";
import { token } from "@/api/session";
import { nextPath } from "@/lib/next-path";

/** Lets in who is logged in, and guests where they are allowed. */
export async function guardApp(cache: QueryClient, href: string): Promise<void> {
  if (token()) return;
  const setup = await cache.ensureQueryData(setupQuery);
  if (setup.required) throw redirect({ to: "/setup", replace: true });
  if (!setup.guest_access) throw redirect({ to: "/login", search: { next: href }, replace: true });
}

export async function guardSetup(cache: QueryClient): Promise<void> {
  const setup = await cache.fetchQuery({ ...setupQuery, staleTime: 0 });
  if (!setup.required) throw redirect({ to: "/login", replace: true });
}

type LoginSearch = { next?: string; once?: string; failed?: string };

/** Follows a one-time link; without one the setup page comes first where it is needed. */
export async function guardLogin(cache: QueryClient, search: LoginSearch): Promise<void> {
  if (search.once) {
    const failed = await logInOnce(search.once).then(
      () => undefined,
      (error: unknown) => toProblem(error).message,
    );
    if (failed) throw redirect({ to: "/login", search: { next: search.next, failed }, replace: true });
    throw redirect({ href: nextPath(search.next), replace: true });
  }
  const setup = await cache.ensureQueryData(setupQuery);
  if (setup.required) throw redirect({ to: "/setup", replace: true });
}
