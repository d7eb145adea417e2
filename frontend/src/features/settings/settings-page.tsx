import { useQuery } from "@tanstack/react-query";
import { useNotAdmin } from "@/api/access";
import { meQuery } from "@/api/auth";
import { endpointsQuery } from "@/api/endpoints";
import { settingsQuery } from "@/api/settings";
import { card, Page } from "@/ui/page";
import { Empty, QueryView } from "@/ui/states";
import { SettingsForm } from "./settings-form";

/** What an administrator sets for everybody. */
export function SettingsPage() {
  const notAdmin = useNotAdmin();
  const { data: me } = useQuery(meQuery());
  const settings = useQuery({ ...settingsQuery, enabled: me?.scope === "admin" });
  const endpoints = useQuery(endpointsQuery);
  return (
    <Page title="Settings">
      {notAdmin ? (
        <Empty title={notAdmin} />
      ) : (
        <div className={`${card} max-w-xl p-4`}>
          <QueryView query={settings}>
            {(known) => (
              <QueryView query={endpoints}>
                {(items) => <SettingsForm settings={known} labels={items.map(({ label }) => label)} />}
              </QueryView>
            )}
          </QueryView>
        </div>
      )}
    </Page>
  );
}
