import { useLayoutEffect } from "react";

const product = "PromptLooper";

/** Names the tab while a page is shown. */
export function useTitle(title: string): void {
  useLayoutEffect(() => {
    document.title = `${title} · ${product}`;
    return () => {
      document.title = product;
    };
  }, [title]);
}
