import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { logIn } from "@/api/auth";
import { nextPath } from "@/lib/next-path";
import { CredentialsForm } from "./credentials-form";

const route = getRouteApi("/login");

export function LoginPage() {
  const { next, failed } = route.useSearch();
  const router = useRouter();
  const cache = useQueryClient();
  return (
    <CredentialsForm
      title="Log in"
      intro={failed ? `The login link did not work: ${failed}` : "Welcome back."}
      action="Log in"
      onSubmit={async (credentials) => {
        await logIn(credentials);
        cache.clear();
        router.history.replace(nextPath(next));
      }}
    />
  );
}
