import { type FocusEvent, useMemo, useState } from "react";

/** Whether the pointer or the keyboard focus is inside an element, with what the element needs to tell. */
export function useAttention() {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const props = useMemo(
    () => ({
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      // A button that was clicked keeps the focus after the pointer has left: only the keyboard's focus counts.
      onFocus: ({ target }: FocusEvent) => setFocused(target.matches(":focus-visible")),
      onBlur: () => setFocused(false),
    }),
    [],
  );
  return { attended: pointed || focused, props };
}
