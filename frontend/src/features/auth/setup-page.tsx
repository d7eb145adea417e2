import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { setUp } from "@/api/auth";
import { CredentialsForm } from "./credentials-form";

export function SetupPage() {
  const navigate = useNavigate();
  const cache = useQueryClient();
  return (
    <CredentialsForm
      title="Create the first account"
      intro="Nobody has an account here yet. The first one is the administrator's."
      action="Create account"
      username="admin"
      newPassword
      onSubmit={async (credentials) => {
        await setUp(credentials);
        cache.clear();
        await navigate({ to: "/projects", replace: true });
      }}
    />
  );
}
