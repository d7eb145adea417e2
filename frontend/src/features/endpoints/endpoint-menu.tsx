import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deleteEndpoint, endpointsQuery } from "@/api/endpoints";
import type { Endpoint } from "@/api/types";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { Menu } from "@/ui/menu";
import { EndpointForm } from "./endpoint-form";

/** What can be done to an endpoint itself. */
export function EndpointMenu({ endpoint }: { endpoint: Endpoint }) {
  const [open, setOpen] = useState<"edit" | "delete">();
  const cache = useQueryClient();
  const close = () => setOpen(undefined);
  const remove = async () => {
    await deleteEndpoint(endpoint.id);
    await cache.invalidateQueries({ queryKey: endpointsQuery.queryKey });
  };
  return (
    <>
      <Menu
        label={`Actions for ${endpoint.label}`}
        trigger={<Icon name="more" />}
        entries={[
          { id: "edit", label: "Edit…", onAction: () => setOpen("edit") },
          { id: "delete", label: "Delete…", danger: true, onAction: () => setOpen("delete") },
        ]}
      />
      <Dialog title="Edit endpoint" open={open === "edit"} onClose={close}>
        <EndpointForm endpoint={endpoint} onClose={close} />
      </Dialog>
      <Confirm
        title="Delete endpoint"
        action="Delete endpoint"
        open={open === "delete"}
        onClose={close}
        onConfirm={remove}
      >
        “{endpoint.label}” and its API key will be permanently deleted. Cached answers are kept.
      </Confirm>
    </>
  );
}
