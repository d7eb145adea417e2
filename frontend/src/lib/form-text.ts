/** What was entered in a field, exactly. */
export function formText(form: FormData, name: string): string {
  return String(form.get(name) ?? "");
}
