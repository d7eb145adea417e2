import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { setUp } from "@/api/auth";
import { CredentialsForm } from "./credentials-form";

export function SetupPage() {
  const navigate = useNavigate();
  const cache = useQueryClient();
  return (
    <CredentialsForm
      title="Set up PromptLooper"
      intro="Create the administrator account."
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
